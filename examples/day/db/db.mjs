// Stands for a database: it takes connections after a moment.
import {createServer} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'

await pause(300)
createServer(socket => socket.resume().on('error', () => {})).listen(process.env.APP_PORT, '127.0.0.1', () =>
  console.log('accepts connections')
)
