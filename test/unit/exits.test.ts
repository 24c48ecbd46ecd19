import t from 'tap'
import {andVerbs} from '../../src/clients/cli/entries/command-entry.ts'
import {COMMANDS} from '../../src/clients/cli/commands.ts'
import {TOOLS} from '../../src/clients/mcp/tools/tools.ts'
import {COMMANDS_ASKED, ROUTES, routes, tools} from '../rig/exits.ts'

const names = (exits: object): readonly string[] => Object.keys(exits).toSorted()
const sorted = (all: readonly string[]): readonly string[] => all.toSorted()

t.test('long/every-exit and long/every-command look for secrets at each exit, or it is said why not', async t => {
  t.same(names(routes([], [], () => ({}))), sorted(ROUTES), 'routes of the API')
  t.same(names(tools([], [])), sorted(TOOLS.map(({name}) => name)), 'tools for coding agents')
  t.same(names(COMMANDS_ASKED), sorted(andVerbs(COMMANDS).map(({name}) => name)), 'commands')
})
