import {openModelServer} from '../../test/rig/model-server.ts'
import {component} from '../../test/rig/resource-files.ts'
import {inRounds, type Figure} from '../figure.ts'
import {median} from '../table.ts'
import {withRig} from '../tools.ts'

/** Questions of one round, one after the other, each way in turn. */
const QUESTIONS = 300
const TEXT = 'What is on the shelf?'

/** What a sidecar adds to a question: asked through it, and at the server of the model itself, which answers at once. */
export const conversation: Figure = {
  name: 'conversation',
  needs: [],
  measure: async ({rounds}) =>
    withRig(async rig => {
      const ends: (() => unknown)[] = []
      try {
        const {url} = await openModelServer({teardown: end => ends.push(end)})
        await rig.write({
          'resources/llm.yaml': component('llm', 'conversation.openai', {endpoint: url, model: 'small', key: 'k'})
        })
        await rig.template([
          {appID: 'shop', appDirPath: '.', resourcesPath: './resources', command: ['sleep', '100000']}
        ])
        const {http} = await rig.pillion(['run', '-f', '.']).ports('shop')
        const through = asking(`http://127.0.0.1:${http}/v1.0-alpha2/conversation/llm/converse`, {
          inputs: [{messages: [{ofUser: {content: [{text: TEXT}]}}]}]
        })
        const direct = asking(`${url}/chat/completions`, {model: 'small', messages: [{role: 'user', content: TEXT}]})
        const round = async (): Promise<readonly [number, number]> => {
          const [ours, theirs]: [number[], number[]] = [[], []]
          for (let count = 0; count < QUESTIONS; count++) {
            ours.push(await through())
            theirs.push(await direct())
          }
          return [median(ours), median(theirs)]
        }
        await round() // warm
        const all = await inRounds(rounds, round)
        return [
          {
            name: 'conversation: p50, added',
            unit: 'ms',
            ours: all.map(([ours, theirs]) => ours - theirs),
            peer: [],
            peerName: ''
          }
        ]
      } finally {
        for (const end of ends) end()
      }
    })
}

/** Asks once; gives how long it took, in ms. Throws where the answer is another one. */
const asking = (url: string, question: object) => {
  const body = JSON.stringify(question)
  return async (): Promise<number> => {
    const from = performance.now()
    const text = await (await fetch(url, {method: 'POST', headers: {'content-type': 'application/json'}, body})).text()
    const took = performance.now() - from
    if (!text.includes(`You said: ${TEXT}`)) throw new Error(`another answer: ${text}`)
    return took
  }
}
