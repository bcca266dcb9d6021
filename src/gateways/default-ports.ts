import type { Config } from '../config/config.ts';
import { LEDGER, WAREHOUSE, type OrderProviders } from '../domain/orders/order-process.ts';
import type { PaymentPort } from './payment/payment-port.ts';
import { createLedger } from './payment/ledger/ledger.ts';
import { currentProvider, type Bindings } from './provider.ts';
import type { ShippingPort } from './shipping/shipping-port.ts';
import { createWarehouse } from './shipping/warehouse.ts';

/** Who stands behind the ports of orders and refunds. */
export interface OrderPorts {
  readonly payments: Bindings<PaymentPort>;
  readonly shipping: Bindings<ShippingPort>;
}

/** The ports that come along: the ledger and the warehouse, both in our PostgreSQL. Another provider is bound here. */
export function defaultPorts(config: Pick<Config, 'CUSTOMER_CREDIT_LIMIT_MINOR' | 'SHIP_TO_COUNTRIES'>): OrderPorts {
  const ledger = createLedger({ creditLimitMinor: config.CUSTOMER_CREDIT_LIMIT_MINOR });
  const warehouse = createWarehouse({ countries: config.SHIP_TO_COUNTRIES });
  return {
    payments: { byName: { [LEDGER.name]: { local: ledger } }, current: LEDGER.name },
    shipping: { byName: { [WAREHOUSE.name]: { local: warehouse } }, current: WAREHOUSE.name },
  };
}

/** The providers that orders get which are placed now. */
export function orderProviders({ payments, shipping }: OrderPorts): OrderProviders {
  return { payment: currentProvider(payments), shipping: currentProvider(shipping) };
}
