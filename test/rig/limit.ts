/** How long a test file may take, alone or with others. */
export const LIMIT_MS = 180_000

/** For a file that Node runs by itself: tap would give it half a minute. */
export async function limitAlone(): Promise<void> {
  if (process.argv[1]?.endsWith('.test.ts') !== true) return
  const {default: t} = await import('tap')
  t.setTimeout(LIMIT_MS)
}
