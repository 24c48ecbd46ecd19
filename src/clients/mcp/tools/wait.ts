import type * as Api from '../../../model/api.generated.ts'
import {listAnswer} from '../answer.ts'
import {givenText, type Tool} from '../tool.ts'

const OUTCOMES: Readonly<Record<Api.Waited['outcome'], string>> = {
  met: 'Met',
  impossible: 'It can no longer be met',
  timeout: 'Timed out'
}

export const waitTool: Tool = {
  name: 'wait',
  title: 'Wait for a condition',
  description:
    'Waits until all conditions are met: ready or ready:ID, idle or idle:500ms (nothing happens in the run), log:ID:REGEX, calls:FROM:TO:N, reloaded:ID (a saved change of it is live), exit:ID. Lines, calls and reloads count from the start of the run, or from "from". Use this instead of sleeping.',
  changes: 'nothing',
  properties: {
    for: {type: 'array', items: {type: 'string'}, description: 'The conditions, for example ["reloaded:shop", "idle"]'},
    any: {type: 'boolean', description: 'One of them is enough'},
    timeout: {type: 'string', description: 'Maximum time to wait: 30s (the default), 2m'},
    from: {type: 'string', description: 'now, start, or the id returned by an earlier wait'}
  },
  required: ['for'],
  run: async (run, given, signal) => {
    const from = givenText(given, 'from')
    const body = {
      for: given['for'],
      any: given['any'] ?? false,
      timeout: givenText(given, 'timeout') || '30s',
      ...(from !== '' && {from: /^\d+$/.test(from) ? Number(from) : from})
    }
    const {outcome, id, tookMs, conditions, notes} = await run.api.ask('POST /wait', {body, signal})
    return listAnswer({
      summary: [`${OUTCOMES[outcome]} after ${tookMs} ms.`, ...notes.map(note => `Note: ${note}.`)].join(' '),
      items: conditions.map(({condition, state, reason, apps}) => ({
        text: [
          `${condition}: ${state}: ${reason}`,
          ...apps.map(({app, reason: why, lastLine}) => {
            const last = lastLine === '' ? 'it has written no output' : `last line: ${lastLine}`
            return `  ${app}: ${why === '' ? '' : `${why}; `}${last}`
          })
        ].join('\n'),
        fact: {condition, state}
      })),
      facts: {outcome, id}
    })
  }
}
