/** A workflow that needs one workflow task and nothing else. */
export async function greeting(): Promise<string> {
  return 'hello';
}
