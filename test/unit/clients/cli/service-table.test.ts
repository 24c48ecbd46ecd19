import t from 'tap'
import {serviceTable} from '../../../../src/clients/cli/commands/services.ts'

const at = Date.parse('2026-11-20T04:57:31.500Z')
const service = {version: '1.0.0', isMain: true, status: 'running', startedAt: at, finishedAt: 0}

t.test("the table is that of Daeploy's command line", async t => {
  t.equal(
    serviceTable([{...service, name: 'die_roller'}]),
    'MAIN    NAME        VERSION    STATUS    RUNNING\n' +
      '------  ----------  ---------  --------  -----------------------------------\n' +
      '*       die_roller  1.0.0      running   Running (since 2026-11-20 04:57:31)\n'
  )
  t.equal(
    serviceTable([{...service, name: 'hello', version: '2.0.0', isMain: false, status: 'exited', finishedAt: at}]),
    'MAIN    NAME    VERSION    STATUS    RUNNING\n' +
      '------  ------  ---------  --------  -----------------------------------\n' +
      '        hello   2.0.0      exited    Stopped (since 2026-11-20 04:57:31)\n'
  )
})

t.test('without services there is one empty row', async t => {
  t.equal(
    serviceTable([]),
    'MAIN    NAME    VERSION    STATUS    RUNNING\n------  ------  ---------  --------  ---------\n\n'
  )
})

t.test('a service that waits for its start was never stopped', async t => {
  t.match(
    serviceTable([{...service, name: 'scales', status: 'created', startedAt: 0, finishedAt: 0}]),
    /created +Not started\n/
  )
})
