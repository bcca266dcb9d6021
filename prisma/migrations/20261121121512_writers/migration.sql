-- AlterTable
ALTER TABLE "users" ADD COLUMN     "profile_writer" TEXT,
ADD COLUMN     "sync_writer" TEXT;
