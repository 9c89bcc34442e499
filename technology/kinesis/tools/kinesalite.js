// Starts kinesalite on the loopback interface: its own command listens on all.
//   PORT         where to listen
//   SHARD_LIMIT  shards of all streams together
'use strict'

const port = Number(process.env.PORT)
const server = require('kinesalite')({
  shardLimit: Number(process.env.SHARD_LIMIT),
  // Nobody measures how long a stream takes to come and go.
  createStreamMs: 0,
  deleteStreamMs: 0,
  updateStreamMs: 0,
})

// Kinesalite throws when a client goes away in the middle of a request, which
// would end the streams of all others with it.
process.on('uncaughtException', (err) => {
  if (err.code !== 'ECONNRESET') throw err
})

server.listen(port, '127.0.0.1', () => console.log(`kinesalite listens on 127.0.0.1:${port}`))
