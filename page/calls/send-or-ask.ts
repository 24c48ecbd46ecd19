import type * as Api from '../../src/model/api.generated.ts'
import {confirm} from '../parts/confirm.tsx'
import {visible} from '../parts/safe-text.ts'

/** Returns whether a call with this method changes nothing. */
export const isSafe = (method: string): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(method)

/** Sends a call again; if its method may change something, asks first and sends it with `unsafe`. */
export function sendOrAsk(
  {method, path, to}: Pick<Api.Call, 'method' | 'path' | 'to'>,
  send: (unsafe: boolean) => Promise<void>
): void {
  if (isSafe(method)) return void send(false)
  confirm({
    text: `Send ${method} ${visible(path)} again? It may change something in ${visible(to)}.`,
    yes: 'Send it',
    run: () => void send(true)
  })
}
