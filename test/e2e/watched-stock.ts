import type * as Api from '../../src/model/api.generated.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import type {Rig} from '../rig/rig.ts'

type Stock = Awaited<ReturnType<Rig['driven']>>

export interface WatchedStock {
  readonly run: ReturnType<Rig['pillion']>
  /** The process that serves `stock` now. */
  readonly stock: Stock
  readonly socket: string
  /** The recorded calls that a filter matches. */
  readonly rows: (filter: string) => Promise<readonly Api.Call[]>
  /** Calls `stock` through the sidecar of `shop`. */
  readonly call: (path: string) => Promise<Response>
  /** Saves a file of `stock`; resolves with its new process. */
  readonly save: (text: string) => Promise<Stock>
}

/** A run of `shop`, which has only a sidecar, and `stock`, which is ready, responds with `body`, and reloads after each save. */
export async function openWatchedStock(rig: Rig, body: string): Promise<WatchedStock> {
  await rig.write({'stock/version.txt': ''})
  await rig.template([
    {appID: 'shop', command: []},
    {appID: 'stock', autoPort: true, watch: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  const stock = await rig.driven('stock')
  await Promise.all([stock.listen(), stock.answer({body})])
  await run.waitForLine('Writing log files', {nth: 2})
  const socket = controlSocket(rig)
  return {
    run,
    stock,
    socket,
    rows: async filter =>
      ((await ask(socket, `/api/v1/calls?limit=1000&q=${encodeURIComponent(filter)}`)).json as {calls: Api.Call[]})
        .calls,
    call: async path => fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method${path}`),
    save: async text => {
      await rig.write({'stock/version.txt': text})
      return rig.driven('stock')
    }
  }
}
