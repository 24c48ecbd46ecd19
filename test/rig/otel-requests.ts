import {setTimeout as pause} from 'node:timers/promises'
import type {Test} from 'tap'
import type {RequestTree} from '../../src/model/api.generated.ts'
import {ask, controlSocket} from './control-socket.ts'
import {openRig, type Rig} from './rig.ts'

/** Spans that have not come by then do not come. */
const LATE_MS = 30_000

/** A shop whose apps have SDKs of OpenTelemetry: `user` calls `shop`, which calls `stock` for an item. */
export interface InstrumentedShop {
  readonly rig: Rig
  /** Asks for an order by the sidecar of `user`. */
  readonly order: (id: string) => Promise<void>
  /** The tree of an order once it is like this, or has so many spans: they come half a second later, in several batches. */
  readonly tree: (id: string, isWhole: number | ((tree: RequestTree) => boolean)) => Promise<RequestTree>
}

export interface ShopCommands {
  readonly shop: readonly string[]
  readonly stock: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  /** Until both listen. */
  readonly limitMs?: number
}

export async function openInstrumentedShop(
  t: Test,
  {shop, stock, env = {}, files = {}, limitMs = 30_000}: ShopCommands
): Promise<InstrumentedShop> {
  const rig = await openRig(t)
  await rig.write({'components/none.yaml': '', ...files})
  const app = {appDirPath: '.', autoPort: true, env, resourcesPath: 'components'}
  await rig.template([
    {appID: 'user', appDirPath: '.', command: ['sleep', '1000']},
    {appID: 'shop', ...app, command: shop},
    {appID: 'stock', ...app, command: stock}
  ])
  const run = rig.pillion(['up'])
  await run.waitForLine('listening', {nth: 2, limitMs})
  const {http} = await run.ports('user')
  return {
    rig,
    order: async id => {
      await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/orders/${id}`)).text()
    },
    tree: async (id, isWhole) => {
      for (const until = performance.now() + LATE_MS; ;) {
        const q = encodeURIComponent(`to:shop path:/orders/${id}`)
        const tree = (await ask(controlSocket(rig), `/api/v1/trace?q=${q}`)).json as RequestTree
        const isDone = typeof isWhole === 'number' ? spansOf(tree) >= isWhole : isWhole(tree)
        // what is missing is for the test to tell
        if (isDone || performance.now() > until) return tree
        await pause(100)
      }
    }
  }
}

/** The number of spans in it. */
export const spansOf = ({nodes}: RequestTree): number => nodes.flatMap(({spans}) => spans).length

/** Its rows: how deep, what, by which app, how it ended, which spans it is, why it failed. */
export const rowsOf = ({nodes}: RequestTree): readonly string[] =>
  nodes.map(({depth, from, to, what, outcome, spans, failure}) => {
    const edge = to === '' ? from : `${from} → ${to}`
    const sides = `[${spans.map(({app, kind}) => `${app} ${kind}`).join()}]`
    const words = [edge, what, outcome, sides, failure === '' ? '' : `✕ ${failure.split('\n', 1)[0] ?? ''}`]
    return '  '.repeat(depth) + words.filter(word => word !== '').join(' ')
  })
