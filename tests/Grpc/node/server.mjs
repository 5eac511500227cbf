// node server.mjs: serves the interop service on a free port of the loopback interface, prints {"port": <number>},
// and stops when its standard input ends.

import grpc from '@grpc/grpc-js';
import { Interop, echoInitial, echoTrailing, payloadOf } from './interop.mjs';

function echo(call) {
  const headers = new grpc.Metadata();
  const trailers = new grpc.Metadata();
  for (const value of call.metadata.get(echoInitial)) headers.add(echoInitial, value);
  for (const value of call.metadata.get(echoTrailing)) trailers.add(echoTrailing, value);
  call.sendMetadata(headers);
  return trailers;
}

const failure = (wanted, metadata) => (wanted?.code ? { code: wanted.code, details: wanted.message, metadata } : null);

function respond(call, request) {
  for (const size of request.response_sizes) call.write({ payload: payloadOf(size) });
}

const server = new grpc.Server();
server.addService(Interop.service, {
  EmptyCall(call, done) {
    done(null, {});
  },

  UnaryCall(call, done) {
    const trailers = echo(call);
    const error = failure(call.request.response_status, trailers);
    if (error) done(error);
    else done(null, { payload: payloadOf(call.request.response_size) }, trailers);
  },

  CollectInput(call, done) {
    const trailers = echo(call);
    let total = 0;
    call.on('data', (request) => { total += request.payload.body.length; });
    call.on('end', () => done(null, { total_size: total }, trailers));
    call.on('error', () => {});
  },

  ProduceOutput(call) {
    const trailers = echo(call);
    respond(call, call.request);
    call.end(trailers);
  },

  Converse(call) {
    const trailers = echo(call);
    let failed = false;
    call.on('data', (request) => {
      const error = failure(request.response_status, trailers);
      if (error) {
        failed = true;
        call.emit('error', error);
      } else {
        respond(call, request);
      }
    });
    call.on('end', () => { if (!failed) call.end(trailers); });
    call.on('error', () => {});
  },
});

server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(JSON.stringify({ port }));
});

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
