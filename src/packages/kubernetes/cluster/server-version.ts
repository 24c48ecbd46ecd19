import type {ClusterClient} from './api-client.ts'

/** Init containers that keep running are enabled by default from this version on. */
const NATIVE_SINCE = 29

/** Whether an init container may keep running while the others do. The first question to the server: rejects if it cannot be reached. */
export async function hasNativeSidecars(client: ClusterClient): Promise<boolean> {
  const version = await client.json<{readonly major?: string; readonly minor?: string} | null>('GET', '/version')
  const {major, minor = ''} = version ?? {}
  return Number(major) > 1 || Number.parseInt(minor, 10) >= NATIVE_SINCE // some say `29+`
}
