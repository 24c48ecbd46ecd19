/**
 * Takes tap's hand off the children of a test. tap follows them by variables in their environment and by code loaded into
 * each Node; what a test starts is to be started as a user would. (process-on-spawn, which tap uses, keeps what it wrapped
 * under this symbol.)
 */
export function untrackChildren(): void {
  const state: unknown = Reflect.get(globalThis, Symbol.for('process-on-spawn@*:singletonId'))
  if (isWrap(state)) state.unwrap()
}

const isWrap = (value: unknown): value is {unwrap(): void} =>
  typeof value === 'object' && value !== null && 'unwrap' in value && typeof value.unwrap === 'function'
