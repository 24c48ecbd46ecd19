// Tells what a pear costs. Change the price while customers ask: none of them notices that the process was exchanged.
import {createServer} from 'node:http'
import {setTimeout as pause} from 'node:timers/promises'

const PEAR = '1.20'

await pause(300) // as if it read its stock first
const server = createServer((request, response) => response.end(PEAR))
server.listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit()))
