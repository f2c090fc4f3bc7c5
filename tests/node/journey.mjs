// The whole journey of a relying party with openid-client as it is published, nothing overridden.
//
// Talks JSON lines with the test that runs it: the first line in says who this client is; "authorize" out is where
// the person is sent; "callback" in is where the person came back; "result" out is what the library made of it.
import "./webcrypto.mjs";
import { createInterface } from "node:readline";
import * as client from "openid-client";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const receive = async () => JSON.parse((await lines.next()).value);
const send = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const AUTHENTICATION = {
  client_secret_basic: (secret) => client.ClientSecretBasic(secret),
  client_secret_post: (secret) => client.ClientSecretPost(secret),
  none: () => client.None(),
};

/** What the library says when it refuses; null if it does not. */
async function refusal(attempt) {
  try {
    await attempt();
  } catch (error) {
    return error.error ?? error.code ?? String(error);
  }
  return null;
}

async function discover(given) {
  return client.discovery(
    new URL(given.issuer),
    given.client_id,
    given.id_token_alg ? { id_token_signed_response_alg: given.id_token_alg } : {},
    AUTHENTICATION[given.auth_method](given.client_secret),
    { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] }, // http on loopback; check signatures
  );
}

async function start(config, given) {
  const verifier = client.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: given.redirect_uri,
    scope: given.scope,
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...given.parameters,
  });
  send({ authorize: url.href });
  const { callback } = await receive();
  return [new URL(callback), { ...checks, idTokenExpected: true }];
}

async function person(given) {
  const config = await discover(given);
  const [callback, checks] = await start(config, given);

  const forged = await refusal(() => client.authorizationCodeGrant(config, callback, { ...checks, expectedState: "x" }));
  const tokens = await client.authorizationCodeGrant(config, callback, checks);
  const claims = tokens.claims();
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  const userinfoAfter = await client.fetchUserInfo(config, refreshed.access_token, claims.sub);
  const forApi = await client.refreshTokenGrant(config, refreshed.refresh_token ?? tokens.refresh_token, {
    resource: given.api,
  });

  const latest = forApi.refresh_token ?? refreshed.refresh_token ?? tokens.refresh_token;
  const introspect = async (token) =>
    given.auth_method === "none" ? null : client.tokenIntrospection(config, token);
  const before = await introspect(latest);
  await client.tokenRevocation(config, latest);
  const after = await introspect(latest);
  return {
    forged, claims, userinfo, userinfo_after: userinfoAfter, before, after,
    tokens: { ...tokens },
    refreshed: { ...refreshed, claims: refreshed.claims() },
    for_api: { ...forApi },
    refresh_after_revocation: await refusal(() => client.refreshTokenGrant(config, latest)),
    code_again: await refusal(() => client.authorizationCodeGrant(config, callback, checks)),
    end_session: client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: given.signed_out,
      state: "bye",
    }).href,
  };
}

async function wrongNonce(given) {
  const config = await discover(given);
  const [callback, checks] = await start(config, given);
  return { refusal: await refusal(() => client.authorizationCodeGrant(config, callback, { ...checks, expectedNonce: "x" })) };
}

async function machine(given) {
  const config = await discover(given);
  const tokens = await client.clientCredentialsGrant(config, { scope: given.scope, resource: given.api });
  const before = await client.tokenIntrospection(config, tokens.access_token);
  await client.tokenRevocation(config, tokens.access_token);
  return { tokens: { ...tokens }, before, after: await client.tokenIntrospection(config, tokens.access_token) };
}

const given = await receive();
send({ result: await { person, machine, wrongNonce }[given.journey](given) });
process.exit(0);
