import type { CodeEntry } from '../../domain/shared/codes.ts';

/** One expected failure of a request, and the status that it is answered with. */
export interface ErrorEntry extends CodeEntry {
  readonly status: number;
}

/** What is wrong with a request, whatever it is about. */
const REQUESTS = {
  bad_request: {
    status: 400,
    title: 'Bad request',
    detail: "The request can't be read.",
    remedy: 'Send well-formed HTTP; look for what a proxy on the way has changed.',
    retryable: false,
  },
  malformed_json: {
    status: 400,
    title: 'Malformed JSON',
    detail: 'The body is not a JSON object.',
    remedy: 'Send one JSON object in UTF-8.',
    retryable: false,
  },
  validation_failed: {
    status: 400,
    title: 'Validation failed',
    detail: 'A value is missing or not allowed; `errors` says which.',
    remedy: 'Correct the fields that `errors` names; `/docs` has what each may be.',
    retryable: false,
  },
  unauthenticated: {
    status: 401,
    title: 'Not authenticated',
    detail: 'Send a valid token: `Authorization: Bearer …`.',
    remedy: 'Get a new token: it is missing, expired, or from an issuer that is not trusted here.',
    retryable: false,
  },
  unusable_claims: {
    status: 401,
    title: 'Unusable claims',
    detail: 'The token says too little of its bearer, or nothing that can be used; `detail` names the claim.',
    remedy:
      'Have the identity provider put subject, role and tenant into each token, and the name of the service into one ' +
      'of role `service`.',
    retryable: false,
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    detail: 'The role of this token may not do this.',
    remedy: 'Ask with a token of one of the roles that `/docs` names for this address.',
    retryable: false,
  },
  insufficient_scope: {
    status: 403,
    title: 'Insufficient scope',
    detail: "The service's token lacks the scope of this address, which `WWW-Authenticate` names.",
    remedy: 'Have the identity provider grant the service that scope, if it is to do this.',
    retryable: false,
  },
  service_mismatch: {
    status: 403,
    title: 'Another service',
    detail: 'A service speaks for itself alone, and the request names another one.',
    remedy: "Name the service that the token's own claim names, or send that service's token.",
    retryable: false,
  },
  not_found: {
    status: 404,
    title: 'Not found',
    detail: 'There is nothing at this address.',
    remedy: 'Compare method and path with `/docs`.',
    retryable: false,
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'There is something at this address, but not for this method.',
    remedy: 'Use one of the methods that `Allow` names.',
    retryable: false,
  },
  bulk_operation_not_found: {
    status: 404,
    title: 'Bulk operation not found',
    detail: 'There is no such bulk operation, or it is past its retention.',
    remedy: 'Check the id and the tenant; what became of the users or processes is in their lists.',
    retryable: false,
  },
  idempotency_in_progress: {
    status: 409,
    title: 'Request in progress',
    detail: 'The first request with this Idempotency-Key is still being carried out.',
    remedy: 'Send it again in a moment, to get the answer of the first.',
    retryable: true,
  },
  body_too_large: {
    status: 413,
    title: 'Body too large',
    detail: 'The body exceeds BODY_LIMIT_KB.',
    remedy: 'Send less at once.',
    retryable: false,
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'Send the body as application/json in UTF-8.',
    remedy: 'Set `Content-Type: application/json`.',
    retryable: false,
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency-Key reused',
    detail: 'This Idempotency-Key was used with another body.',
    remedy: 'Use a new key for each new request, and the same one only to repeat it.',
    retryable: false,
  },
  itinerary_invalid: {
    status: 422,
    title: 'Itinerary invalid',
    detail: 'A leg names an activity, or an argument, that can not be; `errors` says where and why.',
    remedy: 'Compare the legs that `errors` names with `GET /processes/routing-slips/activities`.',
    retryable: false,
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'The limit of requests a minute is reached; Retry-After says when to go on.',
    remedy: 'Wait as long as Retry-After says.',
    retryable: true,
  },
  registered_too_often: {
    status: 429,
    title: 'Registered too often',
    detail:
      'This identity has deleted as many users within a day as it may; Retry-After says when it may register again.',
    remedy: 'Wait as long as Retry-After says. MAX_DELETIONS_PER_DAY is how many it may delete.',
    retryable: true,
  },
  too_many_streams: {
    status: 429,
    title: 'Too many streams',
    detail: 'This caller follows as many streams as it may; close one of them.',
    remedy: 'Close a stream, or follow several orders by their lists.',
    retryable: true,
  },
  tenant_streams_exhausted: {
    status: 429,
    title: 'Too many streams of the tenant',
    detail: 'This tenant follows as many streams as it may at this process of the API; connect again later.',
    remedy: 'Close streams of this tenant, or raise STREAMS_MAX or STREAMS_TENANT_SHARE if it stays so.',
    retryable: true,
  },
} as const satisfies Record<string, ErrorEntry>;

/** What is wrong on our side. */
const FAILURES = {
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'Something unexpected happened; `instance` finds it in the logs.',
    remedy: 'Report it with its `instance`: this is a bug. A command may have taken effect; read before you repeat it.',
    retryable: false,
  },
  command_timeout: {
    status: 503,
    title: 'Command not confirmed',
    detail:
      'No answer came in time. The command may still take effect; repeat it with the same Idempotency-Key to learn ' +
      'its outcome.',
    remedy: 'Repeat it as said; if it stays so, see that workers are up.',
    retryable: true,
  },
  /** Told by the proxy, deploy/nginx/nginx.conf. */
  api_unavailable: {
    status: 503,
    title: 'API unavailable',
    detail:
      'No node of the API answers. A command may have taken effect; repeat it with the same Idempotency-Key to learn ' +
      'its outcome.',
    remedy: 'Repeat it as said; if it stays so, see that processes of the API are up and that the proxy finds them.',
    retryable: true,
  },
  database_unavailable: {
    status: 503,
    title: 'Database unavailable',
    detail: 'PostgreSQL does not answer; the request can be sent again.',
    remedy: 'Send it again with pauses that grow; see that PostgreSQL is up.',
    retryable: true,
  },
  identity_provider_unavailable: {
    status: 503,
    title: 'Identity provider unavailable',
    detail: "The keys that tokens are verified with can't be fetched.",
    remedy: 'Send it again; see that the address of the keys answers.',
    retryable: true,
  },
  streams_exhausted: {
    status: 503,
    title: 'Streams exhausted',
    detail: 'This process of the API serves as many streams as it can; connect again later.',
    remedy: 'Connect again; run more processes of the API if it stays so.',
    retryable: true,
  },
  workflow_busy: {
    status: 503,
    title: 'Too many commands at once',
    detail: 'More commands came at once than can be taken, and this one did not run; it can be sent again.',
    remedy: 'Send it again with pauses that grow, and fewer at once about one user or process.',
    retryable: true,
  },
  temporal_unavailable: {
    status: 503,
    title: 'Temporal unavailable',
    detail: 'Temporal or its workers do not answer; send the command again, with the same Idempotency-Key.',
    remedy: 'Send it again as said; see that Temporal and workers are up.',
    retryable: true,
  },
} as const satisfies Record<string, ErrorEntry>;

/** Every failure that a request may have, whatever it is about. */
export const HTTP_ERRORS = { ...REQUESTS, ...FAILURES };
