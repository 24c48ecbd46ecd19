import {EventEmitter} from 'node:events'
import type {Pool} from 'pg'
import t from 'tap'
import {ChannelNotifications} from '../../../../src/dapr/components/postgresql/notifications.ts'

t.test('who listens to a channel while another one ends that, before there is a connection, hears it', async t => {
  const connected = Promise.withResolvers<void>()
  const heard = new Set<string>()
  const client = Object.assign(new EventEmitter(), {
    query: async (text: string) => {
      const [word, channel = ''] = text.split(' ')
      if (word === 'LISTEN') heard.add(channel)
      else heard.delete(channel)
      return Promise.resolve()
    },
    release: () => undefined
  })
  const pool = {
    connect: async () => {
      await connected.promise
      return client
    }
  }
  const notifications = new ChannelNotifications(pool as unknown as Pool, () => undefined)
  t.teardown(() => notifications.close())
  const first = notifications.listen('change', () => undefined)
  connected.resolve()
  const end = await first
  const ended = end()
  const got: string[] = []
  const again = notifications.listen('change', payload => got.push(payload))
  await Promise.all([ended, again])
  t.same([...heard], ['"change"'])
  client.emit('notification', {channel: 'change', payload: 'x'})
  t.same(got, ['x'])
})
