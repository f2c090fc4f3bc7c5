// npm oidc-provider as the provider that people come from: certified, unmodified, with pages that work without scripts.
//
// node upstream.mjs, with one line of JSON on standard input:
//   port      where it listens, as http://localhost:PORT
//   clients   client metadata as of OpenID Connect Dynamic Client Registration
//   accounts  {name: {claims, acr, amr}}; whoever gives the name is signed in, no password is asked for
//   options   members of the library's configuration that replace those below
// It says {"ready": true} on standard output, and ends with its standard input.

import './webcrypto.mjs';
import './node18.mjs';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const { Provider } = await import('oidc-provider'); // after the two above, which Node.js 18 needs

const lines = createInterface({ input: process.stdin });
const { value } = await lines[Symbol.asyncIterator]().next();
const { port, clients, accounts, options = {} } = JSON.parse(value);
process.stdin.on('end', () => process.exit());

const key = (alg, type, parameters) => ({
  ...generateKeyPairSync(type, parameters).privateKey.export({ format: 'jwk' }),
  alg,
  use: 'sig',
  kid: `upstream-${alg}`,
});

const { features, ...others } = options;
const provider = new Provider(`http://localhost:${port}`, {
  clients,
  jwks: {
    keys: [
      key('RS256', 'rsa', { modulusLength: 2048 }),
      key('ES256', 'ec', { namedCurve: 'P-256' }),
    ],
  },
  cookies: { keys: ['upstream'] },
  claims: {
    acr: null,
    amr: null,
    auth_time: null,
    sid: null,
    openid: ['sub', 'acr', 'amr', 'sid'],
    profile: ['name', 'given_name', 'family_name', 'preferred_username', 'locale', 'groups'],
    email: ['email', 'email_verified'],
  },
  acrValues: ['urn:upstream:one', 'urn:upstream:two'],
  async findAccount(_, id) {
    const account = accounts[id];
    return account && { accountId: id, claims: async () => ({ ...account.claims, sub: id }) };
  },
  // Nobody is asked for consent: what counts here is who it is.
  async loadExistingGrant(ctx) {
    const { client, session } = ctx.oidc;
    const known = session.grantIdFor(client.clientId);
    const grant = known
      ? await provider.Grant.find(known)
      : new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid profile email offline_access');
    await grant.save();
    return grant;
  },
  // Without its guard against private addresses: we listen on one.
  fetch: (url, { dispatcher, ...sent }) => fetch(url, sent),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true, logoutSource },
    pushedAuthorizationRequests: { enabled: true },
    ...features,
  },
  pkce: { required: () => true },
  ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 3600, IdToken: 600, Interaction: 3600, Session: 3600 },
  ...others,
});
provider.on('server_error', (_, error) => console.error(error));
provider.on('backchannel.error', (_, error) => console.error(error));

const page = (title, body) => `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}</html>`;

function logoutSource(ctx, form) {
  ctx.body = page(
    'Sign out there',
    form.replace('</form>', '<button id="upstream-log-out" name="logout" value="yes">Sign out</button></form>'),
  );
}

const LOG_IN = (uid) => page(
  'Sign in there',
  `<form method="post" action="/interaction/${uid}">
     <label>Account <input id="upstream-account" name="account" autofocus></label>
     <button id="upstream-log-in" type="submit">Sign in</button>
   </form>
   <form method="post" action="/interaction/${uid}">
     <button id="upstream-cancel" type="submit" name="cancel" value="yes">Cancel</button>
   </form>`,
);

async function fields(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
}

async function interaction(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method === 'GET') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(LOG_IN(uid));
    return;
  }
  const given = await fields(request);
  const account = accounts[given.get('account')];
  if (given.has('cancel')) {
    await provider.interactionFinished(request, response, { error: 'access_denied' });
  } else if (!account) {
    response.writeHead(303, { location: `/interaction/${uid}` }).end();
  } else {
    const { acr, amr } = account;
    const login = { accountId: given.get('account'), ...(acr && { acr }), ...(amr?.length && { amr }) };
    await provider.interactionFinished(request, response, { login });
  }
}

const handle = provider.callback();
createServer((request, response) => {
  if (!request.url.startsWith('/interaction/')) return handle(request, response);
  return interaction(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
}).listen(port, '127.0.0.1', () => console.log(JSON.stringify({ ready: true })));
