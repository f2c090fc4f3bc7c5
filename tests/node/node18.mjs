// Node.js 18 (Debian 12) lacks crypto.hash and URL.parse, which oidc-provider calls; elsewhere this file does nothing.
import * as crypto from 'node:crypto';
import { register } from 'node:module';

URL.parse ??= (address, base) => {
  try {
    return new URL(address, base);
  } catch {
    return null;
  }
};

if (!crypto.hash) {
  const shim = `
    import * as crypto from 'node:crypto';
    export * from 'node:crypto';
    export const hash = (algorithm, data, encoding = 'hex') =>
      crypto.createHash(algorithm).update(data).digest(encoding);
  `;
  const address = `data:text/javascript,${encodeURIComponent(shim)}`;
  const hooks = `
    export const resolve = (specifier, context, next) =>
      specifier === 'node:crypto' && context.parentURL?.includes('/oidc-provider/')
        ? { url: ${JSON.stringify(address)}, shortCircuit: true }
        : next(specifier, context);
  `;
  register(`data:text/javascript,${encodeURIComponent(hooks)}`);
}
