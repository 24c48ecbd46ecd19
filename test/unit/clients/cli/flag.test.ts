import t from 'tap'
import {COMMANDS} from '../../../../src/clients/cli/commands.ts'
import {UsageError} from '../../../../src/clients/cli/command-handler.ts'
import {UserError} from '../../../../src/model/errors.ts'

t.test('each command with formats takes these, refuses others: in its words, or as a mistake in it', async t => {
  const refused = COMMANDS.flatMap(({name, flags}) => {
    const {values = [], check} = flags.find(flag => flag.name === 'output') ?? {}
    if (values.length === 0) return []
    // `workflow` is as strict as Dapr's
    for (const value of name === 'workflow' ? values : ['', ...values]) check?.(value)
    try {
      check?.('xml')
      return [[name, 'taken']]
    } catch (error) {
      if (error instanceof UsageError) return [[name, 'usage', error.message]]
      return [[name, error instanceof UserError ? `${error.message} ${error.explanation}`.trim() : error]]
    }
  })
  const unknown = 'unknown output format "xml"'
  const asDapr = 'An invalid output format was specified.'
  t.strictSame(refused, [
    ['up', `${unknown} Valid values are: text, json.`],
    ['list', asDapr],
    ['ps', `${unknown} Valid values are: table, json.`],
    ['validate', asDapr],
    ['version', asDapr],
    ['why', `${unknown} Valid values are: text, json.`],
    ['url', `${unknown} Valid values are: text, json.`],
    ['graph', `${unknown} Valid values are: table, mermaid, json.`],
    ['runs', `${unknown} Valid values are: text, json.`],
    ['wait', 'usage', `${unknown}: valid values are text, json`],
    ['events', 'usage', `${unknown}: valid values are text, ndjson, json`],
    ['calls', `${unknown} Valid values are: table, json, ndjson, har, curl.`],
    ['trace', `${unknown} Valid values are: tree, json.`],
    ['fault', `${unknown} Valid values are: table, json.`],
    ['replay', `${unknown} Valid values are: text, json.`],
    ['workflow', 'usage', 'invalid value for --output. Supported values are short, wide, yaml, json, ids'],
    ['jobs', `${unknown} Valid values are: text, json.`],
    ['actors', `${unknown} Valid values are: text, json.`],
    ['reminders', `${unknown} Valid values are: text, json.`],
    ['skip', `${unknown} Valid values are: text, json.`],
    ['copies', `${unknown} Valid values are: text, json.`],
    ['notifications', asDapr]
  ])
})
