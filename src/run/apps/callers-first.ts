/** Each app before those that it has called, as far as none of these has called it. */
export function callersFirst<A extends {readonly id: string}>(
  apps: readonly A[],
  calls: (caller: string, callee: string) => boolean
): readonly A[] {
  const order = new Set<A>()
  const seen = new Set<A>()
  const place = (app: A): void => {
    if (seen.has(app)) return
    seen.add(app)
    for (const caller of apps) if (caller.id !== app.id && calls(caller.id, app.id)) place(caller)
    order.add(app)
  }
  apps.forEach(place)
  return [...order]
}
