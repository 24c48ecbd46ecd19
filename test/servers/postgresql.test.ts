import t from 'tap'
import {CONFIGURATION_TABLE, realPostgres, skipWithoutPostgres} from '../rig/postgres.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

const skip = skipWithoutPostgres

t.test('configuration in PostgreSQL: read, and told of what another program changes', {skip}, async t => {
  const {database, query} = await realPostgres(t)
  const connectionString = database()
  query(connectionString, `${CONFIGURATION_TABLE}; INSERT INTO settings VALUES ('color', 'blue', '2')`)
  const rig = await openRig(t)
  await rig.write({
    'resources/settings.yaml': component('settings', 'configuration.postgres', {connectionString, table: 'settings'})
  })
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  const url = '/v1.0/configuration/settings'
  t.same(JSON.parse((await shop.fetch(`${url}?key=color&key=none`)).body), {color: {value: 'blue', version: '2'}})
  const answer = await shop.fetch(`${url}/subscribe?key=color&metadata.pgNotifyChannel=config`)
  const {id} = JSON.parse(answer.body) as {id: string}
  query(connectionString, "UPDATE settings SET value = 'red', version = '3'")
  const changed = await shop.nextRequest()
  t.match(changed, {method: 'POST', url: '/configuration/settings/color'})
  t.same(JSON.parse(changed.body), {id, items: {color: {value: 'red', version: '3'}}})
  await changed.reply({})
  t.match(await shop.fetch(`${url}/${id}/unsubscribe`), {status: 200, body: '{"ok":true}'})
})

t.test('a PostgreSQL that does not answer: the place, and why', {skip}, async t => {
  const rig = await openRig(t)
  const connectionString = 'host=127.0.0.1 port=1 user=me password=secret'
  await rig.write({'resources/store.yaml': component('store', 'state.postgresql', {connectionString})})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  const {code, stderr} = await rig.run(['run', '-f', '.'])
  t.equal(code, 1)
  t.match(stderr, /failed to ping the database at 127\.0\.0\.1:1: connect ECONNREFUSED/)
  t.match(stderr, 'resources/store.yaml:1:')
  t.notMatch(stderr, 'secret')
})
