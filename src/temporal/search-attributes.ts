import type { Connection } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import protos from '@temporalio/proto';

const { INDEXED_VALUE_TYPE_DATETIME: DATETIME, INDEXED_VALUE_TYPE_KEYWORD: KEYWORD } = protos.temporal.api.enums.v1.IndexedValueType;

/** Our search attributes and their types. */
const SEARCH_ATTRIBUTES = {
  UserStatus: KEYWORD, ProfileStatus: KEYWORD, ProfileDeadline: DATETIME, SyncStatus: KEYWORD,
} as const;

/** Registers the search attributes that the namespace lacks; where the server forbids it, the error holds the command to type. */
export async function ensureSearchAttributes(connection: NativeConnection | Connection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.entries(SEARCH_ATTRIBUTES).filter(([name]) => !(name in customAttributes));
  if (missing.length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing) });
  } catch (error) {
    const flags = missing.map(([name, type]) => `--name ${name} --type ${type === DATETIME ? 'Datetime' : 'Keyword'}`).join(' ');
    throw new Error(
      `Temporal does not let us register search attributes; run: temporal operator search-attribute create --namespace ${namespace} ${flags}`,
      { cause: error },
    );
  }
}
