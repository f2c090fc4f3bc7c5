// npm oidc-provider as the peer: in-memory adapter, ES256, the grants and endpoints that `make bench` measures.
//
// node server.mjs PORT MINT_PORT SECRET
//   PORT       the provider, under http://localhost:PORT
//   MINT_PORT  makes codes, refresh tokens and sessions in bulk between measurements: GET /codes?count=10
//   SECRET     of its two clients, "machine" and "shop"

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [port, mintPort, secret] = process.argv.slice(2);
const RESOURCE = 'https://api.example';
const CALLBACK = 'https://shop.example/callback';
const ACCOUNTS = 100;

// Plain Maps without expiry: the cheapest adapter there can be. The one built in keeps 1000 entries, by age.
const entries = new Map();
const sessions = new Map();
const grants = new Map();

class MapAdapter {
  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload) {
    const key = this.key(id);
    entries.set(key, payload);
    if (payload.grantId) {
      const members = grants.get(payload.grantId);
      if (members) members.add(key);
      else grants.set(payload.grantId, new Set([key]));
    }
    if (this.model === 'Session') sessions.set(payload.uid, id);
  }

  async find(id) {
    return entries.get(this.key(id));
  }

  async findByUid(uid) {
    return this.find(sessions.get(uid));
  }

  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    entries.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    entries.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const key of grants.get(grantId) ?? []) entries.delete(key);
    grants.delete(grantId);
  }
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signingKey = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'peer-1' };

const provider = new Provider(`http://localhost:${port}`, {
  adapter: MapAdapter,
  jwks: { keys: [signingKey] },
  clients: [
    {
      client_id: 'machine',
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
    },
    {
      client_id: 'shop',
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [CALLBACK],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
      require_auth_time: true,
    },
  ],
  claims: {
    openid: ['sub'],
    profile: ['name', 'given_name', 'family_name', 'zoneinfo', 'updated_at', 'preferred_username'],
    email: ['email', 'email_verified'],
  },
  async findAccount(_, id) {
    return {
      accountId: id,
      async claims() {
        return {
          sub: id,
          name: 'Ada King',
          given_name: 'Ada',
          family_name: 'King',
          zoneinfo: 'Europe/London',
          preferred_username: id,
          updated_at: 1767225600,
          email: `${id}@example.org`,
          email_verified: true,
        };
      },
    };
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      // client_credentials names no resource, as on the other side; a code brings its own.
      defaultResource: (ctx, client) => (client.clientId === 'machine' ? RESOURCE : []),
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'api:read',
        audience: RESOURCE,
        accessTokenTTL: 300,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: {
    AccessToken: 300,
    AuthorizationCode: 60,
    ClientCredentials: 300,
    Grant: 7776000,
    IdToken: 600,
    Interaction: 3600,
    RefreshToken: 2592000,
    Session: 1209600,
  },
});
provider.on('server_error', (_, error) => console.error(error));

let minted = 0;

async function newGrant(accountId) {
  const grant = new provider.Grant({ accountId, clientId: 'shop' });
  grant.addOIDCScope('openid profile email offline_access');
  grant.addOIDCClaims(['auth_time']);
  grant.addResourceScope(RESOURCE, 'api:read');
  return grant.save();
}

// What an answered authorization request leaves behind; with resource, its access tokens are JWTs.
async function granted(query) {
  const accountId = `person-${minted++ % ACCOUNTS}`;
  const resource = query.get('resource') || undefined;
  return {
    accountId,
    client: await provider.Client.find('shop'),
    grantId: await newGrant(accountId),
    scope: resource ? 'openid offline_access api:read' : 'openid profile email offline_access',
    resource,
    nonce: 'n-0S6_WzA2Mj',
    claims: { id_token: { auth_time: { essential: true } } }, // what require_auth_time adds to a request
    authTime: Math.floor(Date.now() / 1000),
    acr: 'urn:idp:loa:1',
    amr: ['pwd'],
  };
}

const MINTS = {
  async '/codes'(query) {
    return new provider.AuthorizationCode({
      ...(await granted(query)),
      redirectUri: CALLBACK,
      codeChallenge: query.get('code_challenge'),
      codeChallengeMethod: 'S256',
    }).save();
  },
  async '/refresh_tokens'(query) {
    return new provider.RefreshToken({
      ...(await granted(query)),
      gty: 'authorization_code',
      rotations: 0,
    }).save();
  },
  async '/sessions'() {
    const session = new provider.Session();
    const accountId = `person-${minted++ % ACCOUNTS}`;
    session.loginAccount({ accountId, acr: 'urn:idp:loa:1', amr: ['pwd'] });
    session.ensureClientContainer('shop');
    session.grantIdFor('shop', await newGrant(accountId));
    await session.save(1209600);
    return session.id;
  },
};

async function mint(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const made = [];
  for (let count = Number(searchParams.get('count')); count > 0; count--) {
    made.push(await MINTS[pathname](searchParams));
  }
  response.end(JSON.stringify({ made }));
}

createServer((request, response) => mint(request, response).catch((error) => response.destroy(error)))
  .listen(mintPort, '127.0.0.1');
provider.listen(port, '127.0.0.1');
