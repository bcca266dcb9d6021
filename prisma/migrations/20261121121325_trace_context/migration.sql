-- AlterTable
ALTER TABLE "outgoing_messages" ADD COLUMN     "trace_context" TEXT;

-- AlterTable
ALTER TABLE "pending_starts" ADD COLUMN     "trace_context" TEXT;
