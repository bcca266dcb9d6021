import { PrismaPg } from '@prisma/adapter-pg';
import {
  ColumnTypeEnum,
  DriverAdapterError,
  type ColumnType,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import pg from 'pg';

const CHAR = 18;
const CHAR_ARRAY = 1002;

/**
 * Prisma's adapter, mended in two places for the schema engine. It splits scripts at each semicolon, which breaks
 * functions and `DO` blocks: here a script goes to the server whole. And it does not know the catalogue's `"char"`
 * columns, as describing a database needs (https://github.com/prisma/orm/issues/27403); it knows arrays of them, which
 * the catalogue does not use, so the type travels under that name from the pool to the caller.
 */
export function catalogAdapter(databaseUrl: string): {
  adapter: SqlMigrationAwareDriverAdapterFactory;
  close: () => Promise<void>;
} {
  const pool = new pg.Pool({ connectionString: databaseUrl });
  const query = pool.query.bind(pool);
  Reflect.set(pool, 'query', async (config: pg.QueryArrayConfig) => {
    const result = await query(config);
    for (const field of result.fields) if (field.dataTypeID === CHAR) field.dataTypeID = CHAR_ARRAY;
    return result;
  });

  const adapter = new PrismaPg(pool);
  const connect = adapter.connect.bind(adapter);
  adapter.connect = async () => {
    const connection = await connect();
    const queryRaw = connection.queryRaw.bind(connection);
    connection.queryRaw = async (request) => {
      const result = await queryRaw(request);
      return { ...result, columnTypes: result.columnTypes.map(fromArrayToChar) };
    };
    connection.executeScript = async (script) => {
      await query(script).catch((error: Error) => {
        throw new DriverAdapterError({ kind: 'postgres', ...describe(error) });
      });
    };
    return connection;
  };
  return { adapter, close: () => pool.end() };
}

const fromArrayToChar = (type: ColumnType): ColumnType =>
  type === ColumnTypeEnum.CharacterArray ? ColumnTypeEnum.Character : type;

function describe(error: Error) {
  const { code = 'N/A', severity = 'N/A', detail, column, hint } = error instanceof pg.DatabaseError ? error : {};
  return { code, severity, message: error.message, detail, column, hint };
}
