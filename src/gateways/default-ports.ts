import type { Config } from '../config/config.ts';
import type { PaymentPort } from './payment/payment-port.ts';
import type { ShippingPort } from './shipping/shipping-port.ts';
import { createLedger } from './payment/ledger/ledger.ts';
import { createWarehouse } from './shipping/warehouse.ts';

/** The ports that come along: the ledger and the warehouse, both in our PostgreSQL. */
export function defaultPorts(config: Pick<Config, 'CUSTOMER_CREDIT_LIMIT_MINOR' | 'SHIP_TO_COUNTRIES'>): {
  payments: PaymentPort;
  shipping: ShippingPort;
} {
  return {
    payments: createLedger({ creditLimitMinor: config.CUSTOMER_CREDIT_LIMIT_MINOR }),
    shipping: createWarehouse({ countries: config.SHIP_TO_COUNTRIES }),
  };
}
