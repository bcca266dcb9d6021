import type { OperatorService } from '@temporalio/client';
import protos from '@temporalio/proto';
import { ConfigError } from '../config/setting.ts';
import { grpcCodeOf, isTemporalAway } from './errors.ts';

const { INDEXED_VALUE_TYPE_DATETIME: DATETIME, INDEXED_VALUE_TYPE_KEYWORD: KEYWORD } =
  protos.temporal.api.enums.v1.IndexedValueType;

const GRPC_ALREADY_EXISTS = 6;

/** Our search attributes and their types. */
const SEARCH_ATTRIBUTES = {
  UserStatus: KEYWORD,
  ProfileStatus: KEYWORD,
  ProfileDeadline: DATETIME,
  SyncStatus: KEYWORD,
  ProcessStatus: KEYWORD,
  ProcessStep: KEYWORD,
} as const;

/**
 * Registers the search attributes that the namespace lacks; where the server forbids it, the `ConfigError` holds the
 * command to type.
 */
export async function ensureSearchAttributes(
  connection: { readonly operatorService: Pick<OperatorService, 'listSearchAttributes' | 'addSearchAttributes'> },
  namespace: string,
): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.entries(SEARCH_ATTRIBUTES).filter(([name]) => !(name in customAttributes));
  if (missing.length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing) });
  } catch (error) {
    if (grpcCodeOf(error) === GRPC_ALREADY_EXISTS) return; // another worker starts at the same time
    if (isTemporalAway(error)) throw error;
    const flags = missing
      .map(([name, type]) => `--name ${name} --type ${type === DATETIME ? 'Datetime' : 'Keyword'}`)
      .join(' ');
    throw new ConfigError(
      `TEMPORAL_NAMESPACE: Temporal does not let us register search attributes; run: temporal operator ` +
        `search-attribute create --namespace ${namespace} ${flags}`,
      { cause: error },
    );
  }
}
