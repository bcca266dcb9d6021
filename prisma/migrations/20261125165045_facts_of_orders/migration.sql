-- Of an order: when it was told to be delivered before its shipment was known. Of a refund: when its goods were told to
-- be back. What may become of a shipment besides its delivery.
ALTER TYPE "ShipmentStatus" ADD VALUE 'lost';
ALTER TYPE "ShipmentStatus" ADD VALUE 'returned';

ALTER TABLE "orders" ADD COLUMN "delivery_told_at" TIMESTAMPTZ(3);

ALTER TABLE "refunds" ADD COLUMN "goods_returned_at" TIMESTAMPTZ(3);
