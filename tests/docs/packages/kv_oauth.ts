/**
 * Stands for `@deno/kv-oauth`, with its public signatures.
 *
 * @module
 */

interface OAuthConfig {
  clientId: string;
  clientSecret: string;
  redirectUri?: string;
}

/** Makes the configuration for logins by GitHub. */
export function createGitHubOAuthConfig(
  config?: { redirectUri?: string; scope?: string | string[] },
): OAuthConfig {
  const redirectUri = config?.redirectUri;
  return { clientId: "id", clientSecret: "secret", redirectUri };
}

/** Makes the functions that log in. */
export function createHelpers(config: OAuthConfig): {
  signIn(request: Request): Promise<Response>;
  handleCallback(request: Request): Promise<{
    response: Response;
    sessionId: string;
    tokens: { accessToken: string };
  }>;
} {
  return {
    signIn() {
      const headers = { Location: `https://github.test/?${config.clientId}` };
      return Promise.resolve(new Response(null, { status: 302, headers }));
    },
    handleCallback(request) {
      if (!request.headers.get("Cookie")?.includes("oauth-session=")) {
        return Promise.reject(new Error("OAuth cookie not found"));
      }
      const response = new Response(null, {
        status: 302,
        headers: { Location: "/cart" },
      });
      const tokens = { accessToken: "1" };
      return Promise.resolve({ response, sessionId: "1", tokens });
    },
  };
}
