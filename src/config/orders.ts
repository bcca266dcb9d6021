import { countries, integer, number, type Setting } from './setting.ts';

/** Settings of orders and refunds. */
export const ordersSettings = {
  ORDER_MAX_LINES: ['50', integer(1, 1_000)],
  ORDER_MAX_QUANTITY: ['1000', integer(1, 1_000_000)],
  ORDER_MAX_TOTAL_MINOR: ['100000000', integer(0)],
  CUSTOMER_CREDIT_LIMIT_MINOR: ['1000000', integer(0)],
  SHIP_TO_COUNTRIES: ['FR,BE,LU,DE,CH,ES,IT,NL', countries],
  DELIVERY_DEADLINE_DAYS: ['7', number(0)],
  RETURN_DEADLINE_DAYS: ['30', number(0)],
  CHOREOGRAPHY_STEP_DEADLINE_MS: ['300000', integer(1)],
} as const satisfies Record<string, Setting>;
