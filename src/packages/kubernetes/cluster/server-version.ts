import type {ClusterClient} from './api-client.ts'

/** Sidecars as init containers that go on are on by default from this version. */
const NATIVE_SINCE = 29

/** Whether an init container may go on while the others run. The first question to the server: rejects if it cannot be reached. */
export async function hasNativeSidecars(client: ClusterClient): Promise<boolean> {
  const version = await client.json<{readonly major?: string; readonly minor?: string} | null>('GET', '/version')
  const {major, minor = ''} = version ?? {}
  return Number(major) > 1 || Number.parseInt(minor, 10) >= NATIVE_SINCE // some say `29+`
}
