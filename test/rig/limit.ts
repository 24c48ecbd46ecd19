/** How long a test file may take, alone or with others. */
export const LIMIT_MS = 180_000

/** Whether Node runs one file by itself in this process. */
export const isAlone = (): boolean => process.argv[1]?.endsWith('.test.ts') === true

/** For a file that Node runs by itself: tap would give it half a minute. */
export async function limitAlone(): Promise<void> {
  if (!isAlone()) return
  const {default: t} = await import('tap')
  t.setTimeout(LIMIT_MS)
}
