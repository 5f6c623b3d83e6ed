/**
 * Lists that grow while they are worked through.
 *
 * @module
 */

/**
 * Does something for each key of a list, and lists again until no key is new: a
 * session that got another id meanwhile is in the next list.
 *
 * @param seen The keys to leave out.
 */
export async function forEachNew(
  list: () => Iterable<string> | Promise<Iterable<string>>,
  action: (key: string) => Promise<void>,
  seen: Set<unknown> = new Set(),
): Promise<void> {
  for (let count = -1; count < seen.size;) {
    count = seen.size;
    for (const key of await list()) {
      if (!seen.has(key)) await action(key);
      seen.add(key);
    }
  }
}
