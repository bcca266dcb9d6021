import { defineConfig } from 'prisma/config';

/** Where the Prisma command line finds the schema folder and the migrations. */
export default defineConfig({ schema: 'prisma', migrations: { path: 'prisma/migrations' } });
