import type {Rig} from '../../test/rig/rig.ts'
import {launch} from '../../test/browser/browser.ts'
import {inRounds, type Figure} from '../figure.ts'
import {paced} from '../paced.ts'
import {checkContract, startPair} from '../pair.ts'
import {withRig} from '../tools.ts'

const CALLS_A_SECOND = 10_000

/** The 99th percentile of calls at an even pace while somebody looks: a page that shows them, or exports of all that are kept. */
export const watched: Figure = {
  name: 'watched',
  needs: ['go'],
  measure: async ({rounds, seconds}) =>
    withRig(async rig => {
      const {program, url, calleePort} = await startPair(rig)
      const {stdout} = await rig.run(['dashboard', '--no-open'])
      const pageUrl = /http:\S+/.exec(stdout)?.[0] ?? ''
      const browser = await launch()
      const all: {readonly requests: number}[] = []
      const p99 = async (): Promise<number> => {
        const called = await paced(url, CALLS_A_SECOND, seconds)
        all.push(called)
        return called.p99 / 1000
      }
      const withPage = async (): Promise<number> => {
        const opened = await browser.newPage()
        await opened.goto(pageUrl)
        await opened.getByRole('link', {name: 'callee'}).first().waitFor()
        await opened.goto(pageUrl.replace(/#.*/, '#/calls'))
        await opened.getByText('/echo').first().waitFor()
        const time = await p99()
        await opened.close()
        return time
      }
      const withExports = async (): Promise<number> => {
        let isOver = false
        const exports = exportAll(rig, () => isOver)
        const time = await p99()
        isOver = true
        await exports
        return time
      }
      try {
        await paced(url, CALLS_A_SECOND, 1).then(called => all.push(called)) // warm
        const results = await inRounds(rounds, async () => ({
          alone: await p99(),
          page: await withPage(),
          exports: await withExports()
        }))
        await checkContract(calleePort, all)
        program.signal('SIGTERM')
        await program.exited
        const peer = results.map(({alone}) => alone)
        return (['page', 'exports'] as const).map(what => ({
          name: `watched: p99, ${what}` as const,
          unit: 'ms' as const,
          ours: results.map(result => result[what]),
          peer,
          peerName: 'no reader'
        }))
      } finally {
        await browser.close()
      }
    })
}

/** Exports everything that is kept, again and again. */
async function exportAll(rig: Rig, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const {code, stderr} = await rig.run(['calls', '-n', '32768', '-o', 'har'])
    if (code !== 0) throw new Error(`the export failed: ${stderr}`)
  }
}
