-- AlterTable
ALTER TABLE "users" ADD COLUMN     "notification_channels" TEXT[] DEFAULT ARRAY['email']::TEXT[];
