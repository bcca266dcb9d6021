/** A setting of the service; throws when it has neither a value nor a default. */
export function setting(name: string, fallback?: string): string {
  const value = process.env[name] || fallback;
  if (value === undefined) throw new Error(`${name} is not set; see README.md`);
  return value;
}
