import {join} from 'node:path'
import t from 'tap'
import {openModelServer} from '../rig/model-server.ts'
import {component} from '../rig/resource-files.ts'
import {resultsOf} from '../rig/results.ts'
import {openRig} from '../rig/rig.ts'
import {daprForJavascript, daprForPython, installed} from './installed.ts'

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures/sdks', name)

t.test('Dapr’s SDK for Python: alpha1 and alpha2, personal data, tools; with echo and with a server', async t => {
  const folder = await installed(t, daprForPython)
  if (folder === undefined) return
  const server = await openModelServer(t)
  for (const name of ['echo', 'llm']) {
    const rig = await openRig(t)
    await rig.write({
      'resources/echo.yaml': component('echo', 'conversation.echo', {}),
      'resources/llm.yaml': component('llm', 'conversation.openai', {key: 'k', endpoint: server.url, model: 'small'})
    })
    await rig.template([
      {
        appID: 'shop',
        command: ['python3', fixture('conversation.py')],
        resourcesPath: '../resources',
        env: {PYTHONPATH: folder, MODEL_COMPONENT: name}
      }
    ])
    const told = await resultsOf(rig.pillion(['run', '-f', '.']))
    const says = (text: string): string => (name === 'echo' ? text : `You said: ${text}`)
    t.match(told, {
      alpha1: {text: says('What is Dapr?'), context: '9'},
      scrubbed: {text: says('Mail me at <EMAIL_ADDRESS>'), context: '7', reason: 'stop'},
      missing: {code: 'INVALID_ARGUMENT', message: /failed finding conversation component nope/}
    })
    if (name === 'echo')
      t.match(told, {called: {calls: [['0', 'weather', 'city']]}, answered: {text: /Tool Response for tool ID '0'/}})
    else
      t.match(told, {
        called: {
          reason: 'tool_calls',
          calls: [['call_1', 'weather', '{"city":"the city"}']],
          model: 'small',
          tokens: 12
        },
        answered: {text: 'So: rain in Oslo', reason: 'stop'}
      })
  }
})

t.test('Dapr’s SDK for JavaScript: its service over gRPC, and HTTP as in the quickstart', async t => {
  const folder = await installed(t, daprForJavascript('3.18.0'))
  if (folder === undefined) return
  const server = await openModelServer(t)
  const rig = await openRig(t)
  await rig.write({'resources/llm.yaml': component('llm', 'conversation.ollama', {endpoint: server.url})})
  await rig.template([
    {
      appID: 'shop',
      command: [process.execPath, fixture('conversation.mjs')],
      resourcesPath: '../resources',
      env: {SDK_FOLDER: folder, MODEL_COMPONENT: 'llm'}
    }
  ])
  t.match(await resultsOf(rig.pillion(['run', '-f', '.'])), {
    grpc: {
      contextId: '7',
      outputsList: [
        {
          choicesList: [{finishReason: 'stop', message: {content: 'You said: The weather?'}}],
          model: 'llama3.2:latest',
          usage: {totalTokens: 12}
        }
      ]
    },
    grpc1: {outputsList: [{result: 'You said: What is Dapr?'}]},
    http: {
      outputs: [
        {
          choices: [
            {
              finishReason: 'tool_calls',
              message: {toolCalls: [{id: 'call_1', function: {name: 'weather', arguments: '{"city":"the city"}'}}]}
            }
          ],
          usage: {completionTokens: '5', promptTokens: '7', totalTokens: '12', promptTokensDetails: {cachedTokens: '3'}}
        }
      ]
    }
  })
})
