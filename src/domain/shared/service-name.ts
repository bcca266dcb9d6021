const SERVICE = /^[a-z][a-z0-9_-]{0,62}$/;

/** Whether a service can be called so. */
export function isServiceName(text: string): boolean {
  return SERVICE.test(text);
}
