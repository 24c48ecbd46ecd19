import t from 'tap'
import {realPostgres, skipWithoutPostgres} from '../rig/postgres.ts'
import {component} from '../rig/resource-files.ts'
import {failure, openInvoke} from '../e2e/bindings-shop.ts'

const options = {skip: skipWithoutPostgres}

t.test('exec and query of bindings.postgresql, and its errors', options, async t => {
  const postgres = await realPostgres(t)
  const url = postgres.database()
  const {invoke} = await openInvoke(t, {
    'resources/sql.yaml': component('sql', 'bindings.postgresql', {connectionString: url, direction: 'output'}),
    'resources/own.yaml': component('own', 'bindings.postgres', {url})
  })
  const call = async (operation: string, sql?: string, params?: unknown): ReturnType<typeof invoke> =>
    invoke('sql', {
      operation,
      metadata: {...(sql && {sql}), ...(params !== undefined && {params: JSON.stringify(params)})}
    })
  t.match(await call('exec', 'create table orders (id bigint, customer text, price numeric(10, 2))'), {
    status: 200,
    body: ''
  })
  const insert = 'insert into orders (id, customer, price) values ($1, $2, $3)'
  const inserted = await call('exec', insert, [1, 'John "Smith"', 100.32])
  t.match(inserted, {
    status: 200,
    body: '',
    headers: {
      'metadata.operation': 'exec',
      'metadata.sql': insert,
      'metadata.rows-affected': '1',
      'metadata.duration': /^[\d.]+(?:Âµs|ms|s)$/,
      'metadata.start-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
    }
  })
  t.match(await call('query', 'select * from orders'), {
    status: 200,
    body: '[[1,"John \\"Smith\\"",100.32]]',
    headers: {'content-type': 'application/json', 'metadata.operation': 'query'}
  })
  const values = `select null, true, 12345678901234567890::numeric, 'NaN'::float8, '{"a": [1]}'::jsonb, '\\x00ff'::bytea,
    array[1, null, 3], array['a"b', 'c,d'], timestamp '2026-11-20 15:07:56.002', timestamptz '2026-11-20 15:07:56+00', date '2026-11-20'`
  t.same(
    (await call('query', values)).body,
    '[[null,true,12345678901234567890,"NaN",{"a": [1]},"AP8=",[1,null,3],["a\\"b","c,d"],"2026-11-20T15:07:56.002Z","2026-11-20T15:07:56Z","2026-11-20T00:00:00Z"]]'
  )
  const long = '[9007199254740993, {"id": 9007199254740993}, [{"id": 9007199254740993}]]'
  const sql = 'select $1::bigint, $2::jsonb, $3::jsonb[]'
  t.equal(
    (await invoke('sql', {operation: 'query', metadata: {sql, params: long}})).body,
    '[[9007199254740993,{"id": 9007199254740993},[{"id": 9007199254740993}]]]',
    'digits stay as they are written'
  )
  t.match(await call('query', 'select 1 where false'), {status: 200, body: '[]'})
  t.match(
    await call('exec', 'insert into nothing values (1)'),
    failure('sql', 'error executing query: ERROR: relation "nothing" does not exist (SQLSTATE 42P01)')
  )
  t.match(
    await call('query', 'selct 1'),
    failure('sql', 'error executing query: ERROR: syntax error at or near "selct" (SQLSTATE 42601)')
  )
  t.match(
    await call('query', 'select 1; select 2'),
    failure(
      'sql',
      'error executing query: ERROR: cannot insert multiple commands into a prepared statement (SQLSTATE 42601)'
    )
  )
  t.match(await call('query', 'select 1 / 0'), {status: 500, body: /division by zero \(SQLSTATE 22012\)/})
  t.match(await call('exec', insert, [1]), {status: 500, body: /bind message supplies 1 parameters/})
  t.match(await call('exec'), failure('sql', 'required metadata not set: sql'))
  t.match(await call('exec', 'select 1', {a: 1}), {
    status: 500,
    body: /invalid metadata property params: failed to unserialize into an array/
  })
  t.match(await invoke('own', {operation: 'close'}), {status: 204})
  t.match(await invoke('own', {operation: 'close'}), {status: 204})
  t.match(await invoke('own', {operation: 'query', metadata: {sql: 'select 1'}}), failure('own', 'component is closed'))
  await postgres.stop()
  t.match(await call('query', 'select 1'), {status: 500, body: /error executing query: /})
  await postgres.start()
  t.match(await call('query', 'select 1'), {status: 200, body: '[[1]]'})
})
