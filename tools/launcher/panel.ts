/** What the panel needs to know. */
export interface PanelFacts {
  apiUrl: string;
  /** The Web UI's address; undefined when the Temporal Service is not ours. */
  uiUrl: string | undefined;
  temporalAddress: string;
  dataDir: string;
  /** Settings that a command typed in another terminal would not have. */
  environment: string;
}

/** The text that tells a newcomer where everything is and what to type first. */
export function panel({ apiUrl, uiUrl, temporalAddress, dataDir, environment }: PanelFacts): string {
  const token = `${environment}npm run -s token -- --role admin --sub boss`;
  const body = JSON.stringify({ authSubject: 'auth0|ada', email: 'ada@example.com', name: 'Ada' });
  const headers = `-H "Authorization: Bearer $(${token})" -H 'Content-Type: application/json'`;
  return `
Steadfast is ready.

  API           ${apiUrl}
  API docs      ${apiUrl}/docs
  ${uiUrl ? `Web UI        ${uiUrl}` : `Temporal      ${temporalAddress}`}
  Data, logs    ${dataDir}

  A token       ${token}
  A user        curl -sS ${apiUrl}/users ${headers} -d '${body}'

Ctrl-C stops everything in order; the data is kept.
`;
}
