// Starts kinesis-local on the loopback interface: it listens on all by itself.
//   PORT         where to listen
//   SHARD_LIMIT  shards of all streams together
'use strict'

const net = require('node:net')
const path = require('node:path')

const port = Number(process.env.PORT)
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (at, ...rest) {
  const done = rest.find((argument) => typeof argument === 'function')
  this.prependListener('connection', keepAddresses)
  return listen.call(this, { port: at, host: '127.0.0.1' }, function () {
    done?.call(this)
    if (at === port) console.log(`kinesis-local listens on 127.0.0.1:${port}`)
  })
}

// A client that has gone before its connection is looked at leaves a socket
// without addresses, of which kinesis-local would end.
function keepAddresses(socket) {
  const addresses = { localAddress: '127.0.0.1', localPort: port, remoteAddress: '127.0.0.1', remotePort: socket.remotePort ?? 1 }
  for (const [name, value] of Object.entries(addresses)) Object.defineProperty(socket, name, { value })
}

Object.assign(process.env, {
  KINESIS_MOCK_PLAIN_PORT: process.env.PORT,
  // It insists on a second port, for TLS, and on a certificate from its folder.
  KINESIS_MOCK_TLS_PORT: '0',
  KINESIS_MOCK_CERT_PATH: path.join(path.dirname(require.resolve('kinesis-local')), 'server.json'),
})
// Nobody measures how long a stream takes to come and go.
for (const change of [
  'CREATE_STREAM', 'DELETE_STREAM', 'REGISTER_STREAM_CONSUMER', 'DEREGISTER_STREAM_CONSUMER',
  'SPLIT_SHARD', 'MERGE_SHARDS', 'UPDATE_SHARD_COUNT', 'UPDATE_STREAM_MODE',
]) process.env[`${change}_DURATION`] = '1ms'

require('kinesis-local')
