import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openModelServer, withJson} from '../rig/model-server.ts'
import {component} from '../rig/resource-files.ts'
import {resultsOf} from '../rig/results.ts'
import {openRig} from '../rig/rig.ts'
import {daprAgents, installed} from './installed.ts'

// its packages are 360 MB
t.setTimeout(900_000)

const AGENT = join(import.meta.dirname, '../fixtures/sdks/agent.py')

t.test('an agent of Dapr Agents with a tool: recorded once, then replayed without its model', async t => {
  const folder = await installed(t, daprAgents)
  if (folder === undefined) return
  const server = await openModelServer(t)
  const rig = await openRig(t)
  await rig.write({
    'resources/llm.yaml': component('llm', 'conversation.openai', {
      key: 'sk-secret',
      endpoint: server.url,
      model: 'small'
    })
  })
  const run = async (mode: 'record' | 'replay') => {
    await rig.template(
      [{appID: 'agent', command: ['python3', AGENT], resourcesPath: '../resources', env: {PYTHONPATH: folder}}],
      {},
      {conversation: {llm: mode}}
    )
    const program = rig.pillion(['run', '-f', '.'])
    // Python reads 100 MB of modules first
    await program.waitForLine('RESULT done', {limitMs: 180_000})
    const told = await resultsOf(program, 'agent')
    t.match(await program.exited, {code: 0})
    return told
  }
  const choice = (message: object, reason: string): void =>
    void server.next.push(withJson({choices: [{index: 0, message, finish_reason: reason}]}))
  const call = {id: 'call_1', type: 'function', function: {name: 'count', arguments: '{"fruit":"pear"}'}}
  choice({role: 'assistant', content: null, tool_calls: [call]}, 'tool_calls')
  choice({role: 'assistant', content: 'Yes, there are 2: take one.'}, 'stop')
  const expected = {counted: 'pear', answered: 'Yes, there are 2: take one.', done: true}
  t.match(await run('record'), expected)
  const asked = server.asked.length
  t.ok(asked >= 2, 'the question, and what the tool has said; then it sums up what was said')
  const recorded = readFileSync(join(rig.folder, 'conversations/llm.jsonl'), 'utf8')
  t.notMatch(recorded, 'sk-secret')
  t.match(await run('replay'), expected)
  t.equal(server.asked.length, asked, 'the model is not asked')
  t.equal(readFileSync(join(rig.folder, 'conversations/llm.jsonl'), 'utf8'), recorded)
})
