/**
 * Path of the first text, key or value, that PostgreSQL can't store: it refuses NUL everywhere and lone surrogates in
 * JSON. The body parser's size limit bounds the work, not the depth of nesting; hence no recursion.
 */
export function findUnstorable(root: unknown): string[] | undefined {
  const open: { readonly value: unknown; readonly path: string[] }[] = [{ value: root, path: [] }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, path } = at;
    if (typeof value === 'string' && !isStorable(value)) return path;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (!isStorable(key)) return [...path, '(a key)'];
      open.push({ value: inner, path: [...path, key] });
    }
  }
  return undefined;
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
