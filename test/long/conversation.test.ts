import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openModelServer} from '../rig/model-server.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const ask = async (rig: Rig, text: string, more: object = {}) => {
  const shop = await rig.driven('shop')
  const body = JSON.stringify({inputs: [{messages: [{ofUser: {content: [{text}]}}]}], ...more})
  return shop.fetch('/v1.0-alpha2/conversation/llm/converse', {method: 'POST', body})
}

const written = async (rig: Rig, mode: string, endpoint: string): Promise<void> => {
  const resources = {
    'resources/secrets.yaml': component('vault', 'secretstores.local.file', {secretsFile: 'secrets.json'}),
    'shop/secrets.json': '{"llm": "sk-secret"}',
    'resources/llm.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'Component',
      metadata: {name: 'llm'},
      auth: {secretStore: 'vault'},
      spec: {
        type: 'conversation.openai',
        version: 'v1',
        metadata: [
          {name: 'endpoint', value: endpoint},
          {name: 'model', value: 'small'},
          {name: 'key', secretKeyRef: {name: 'llm', key: 'llm'}}
        ]
      }
    })
  }
  await rig.write(resources)
  const app = {appID: 'shop', appDirPath: './shop', command: rig.drivenCommand, resourcesPath: '../resources'}
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, conversation: {llm: mode}, apps: [app]})})
}

t.test('answers are recorded once, and given back without key, secret store and network', async t => {
  const rig = await openRig(t)
  const server = await openModelServer(t)
  await written(rig, 'record', server.url)
  const run = rig.pillion(['run', '-f', '.'])
  const first = await ask(rig, 'What is Dapr?')
  t.match(first, {status: 200, body: /You said: What is Dapr\?/})
  await run.end('SIGKILL')
  const path = join(rig.folder, 'conversations/llm.jsonl')
  t.match(server.asked[0]?.headers, {authorization: 'Bearer sk-secret'})
  t.notMatch(readFileSync(path, 'utf8'), /sk-secret/)

  await written(rig, 'replay', 'http://127.0.0.1:1/v1')
  await rig.write({'resources/secrets.yaml': ''})
  const again = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const converse = async (text: string) =>
    shop.fetch('/v1.0-alpha2/conversation/llm/converse', {
      method: 'POST',
      body: JSON.stringify({inputs: [{messages: [{ofUser: {content: [{text}]}}]}]})
    })
  t.equal((await converse('What is Dapr?')).body, first.body)
  t.match(await converse('What was Dapr?'), {
    status: 500,
    body: /"ERR_CONVERSATION_INVOKE".*no answer to this: .*What was Dapr.*nearest is line 1/
  })
  t.equal(server.asked.length, 1)
  t.match(await again.end('SIGINT'), {code: 0})
})

t.test('a run and validate name what nothing is recorded of; a bad line of the file has its place', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/llm.yaml': component('llm', 'conversation.echo', {}),
    'dapr.yaml': `version: 1
conversation: {lm: replay}
apps:
  - {appID: shop, appDirPath: ., resourcesPath: ./resources, command: ["true"]}
`
  })
  t.match(await rig.run(['validate']), {
    code: 0,
    stderr: /no Component of conversation has the name lm.*\n.*dapr\.yaml:2:16.*did you mean llm\?/s
  })
  t.match(await rig.run(['run', '-f', '.']), {stderr: /dapr\.yaml:2: "conversation" names lm/})
  const template = readFileSync(join(rig.folder, 'dapr.yaml'), 'utf8')
  await rig.write({'dapr.yaml': template.replace('lm: replay', 'llm: repeat')})
  t.match(await rig.run(['validate']), {code: 1, stderr: /expected record, replay or live/})
  await rig.write({'dapr.yaml': template.replace('lm: replay', 'llm: replay')})
  t.match((await rig.run(['run', '-f', '.'])).stderr, /conversations\/llm\.jsonl is not there: run once with "record"/)
  await rig.write({'conversations/llm.jsonl': '{"messages":[]\n'})
  t.match((await rig.run(['run', '-f', '.'])).stderr, /this line is no JSON.*llm\.jsonl:1:1/s)
})
