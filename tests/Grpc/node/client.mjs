// node client.mjs <host:port>: runs every interop case against a server and prints one line of JSON per case:
// {"case": <name>} when it passed, {"case": <name>, "error": <why>} when it did not.

import assert from 'node:assert/strict';
import grpc from '@grpc/grpc-js';
import { Interop, UnimplementedService, echoInitial, echoTrailing, payloadOf } from './interop.mjs';

const { status } = grpc;
const inputSizes = [27182, 8, 1828, 45904];
const outputSizes = [31415, 9, 2653, 58979];
const largeRequest = 271828;
const largeResponse = 314159;

const [address] = process.argv.slice(2);
const credentials = grpc.credentials.createInsecure();
const client = new Interop(address, credentials);

/** A call with one response: its outcome with everything that came along. */
function single(start) {
  return new Promise((resolve) => {
    const outcome = {};
    const call = start((error, response) => {
      Object.assign(outcome, { error, response });
      if (outcome.status) resolve(outcome);
    });
    call.on('metadata', (headers) => { outcome.headers = headers; });
    call.on('status', (final) => {
      outcome.status = final;
      if ('error' in outcome) resolve(outcome);
    });
    outcome.call = call;
  });
}

/** A stream of responses until its end. */
async function collect(call, onMessage = () => {}) {
  const outcome = { sizes: [] };
  call.on('metadata', (headers) => { outcome.headers = headers; });
  const final = new Promise((resolve) => call.on('status', resolve));
  call.on('error', () => {});
  call.on('data', (message) => {
    outcome.sizes.push(message.payload.body.length);
    onMessage(outcome.sizes.length);
  });
  outcome.status = await final;
  return outcome;
}

function converseStepByStep() {
  const call = client.Converse();
  const ask = (step) => {
    if (step === inputSizes.length) call.end();
    else call.write({ response_sizes: [outputSizes[step]], payload: payloadOf(inputSizes[step]) });
  };
  const outcome = collect(call, ask);
  ask(0);
  return outcome;
}

function echoHeaders() {
  const headers = new grpc.Metadata();
  headers.set(echoInitial, 'test_initial_metadata_value');
  headers.set(echoTrailing, Buffer.from([0xab, 0xab, 0xab, 0x00, 0xff]));
  return headers;
}

function assertEchoed(outcome) {
  assert.deepEqual(outcome.headers.get(echoInitial), ['test_initial_metadata_value']);
  assert.deepEqual(outcome.status.metadata.get(echoTrailing), [Buffer.from([0xab, 0xab, 0xab, 0x00, 0xff])]);
}

async function endsWith(code, message) {
  const wanted = { code, message };
  const unary = await single((done) => client.UnaryCall({ response_status: wanted }, done));
  assert.equal(unary.status.code, code);
  assert.equal(unary.status.details, message);

  const call = client.Converse();
  call.write({ response_status: wanted });
  call.end();
  const duplex = await collect(call);
  assert.equal(duplex.status.code, code);
  assert.equal(duplex.status.details, message);
}

const cases = {
  async empty_unary() {
    const outcome = await single((done) => client.EmptyCall({}, done));
    assert.equal(outcome.status.code, status.OK);
  },

  async large_unary() {
    const outcome = await single((done) => client.UnaryCall({ response_size: largeResponse, payload: payloadOf(largeRequest) }, done));
    assert.equal(outcome.response.payload.body.length, largeResponse);
  },

  async compressed_unary() {
    const compressing = new Interop(address, credentials, { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip });
    const outcome = await single((done) => compressing.UnaryCall(
      { response_size: largeResponse, payload: payloadOf(largeRequest), compress_response: true }, done));
    assert.equal(outcome.response.payload.body.length, largeResponse);
    compressing.close();
  },

  async client_streaming() {
    const outcome = await single((done) => {
      const call = client.CollectInput(done);
      for (const size of inputSizes) call.write({ payload: payloadOf(size) });
      call.end();
      return call;
    });
    assert.equal(outcome.response.total_size, inputSizes.reduce((sum, size) => sum + size));
  },

  async server_streaming() {
    const outcome = await collect(client.ProduceOutput({ response_sizes: outputSizes }));
    assert.deepEqual(outcome.sizes, outputSizes);
    assert.equal(outcome.status.code, status.OK);
  },

  async ping_pong() {
    const outcome = await converseStepByStep();
    assert.deepEqual(outcome.sizes, outputSizes);
    assert.equal(outcome.status.code, status.OK);
  },

  async empty_stream() {
    const call = client.Converse();
    call.end();
    const outcome = await collect(call);
    assert.deepEqual(outcome.sizes, []);
    assert.equal(outcome.status.code, status.OK);
  },

  async cancel_after_begin() {
    const outcome = await single((done) => {
      const call = client.CollectInput(done);
      setImmediate(() => call.cancel());
      return call;
    });
    assert.equal(outcome.status.code, status.CANCELLED);
  },

  async cancel_after_first_response() {
    const call = client.Converse();
    const outcome = collect(call, () => call.cancel());
    call.write({ response_sizes: [outputSizes[0]], payload: payloadOf(inputSizes[0]) });
    assert.equal((await outcome).status.code, status.CANCELLED);
  },

  async timeout_on_sleeping_server() {
    const call = client.Converse({ deadline: Date.now() + 50 });
    assert.equal((await collect(call)).status.code, status.DEADLINE_EXCEEDED);
  },

  async custom_metadata() {
    assertEchoed(await single((done) => client.UnaryCall({ response_size: 1 }, echoHeaders(), done)));

    const call = client.Converse(echoHeaders());
    call.end();
    assertEchoed(await collect(call));
  },

  async status_code_and_message() {
    await endsWith(status.FAILED_PRECONDITION, 'test status message');
  },

  async special_status_message() {
    await endsWith(status.FAILED_PRECONDITION, '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n');
  },

  async unimplemented_method() {
    const outcome = await single((done) => client.UnimplementedCall({}, done));
    assert.equal(outcome.status.code, status.UNIMPLEMENTED);
  },

  async unimplemented_service() {
    const stranger = new UnimplementedService(address, credentials);
    const outcome = await single((done) => stranger.UnimplementedCall({}, done));
    assert.equal(outcome.status.code, status.UNIMPLEMENTED);
    stranger.close();
  },
};

for (const [name, run] of Object.entries(cases)) {
  try {
    await run();
    console.log(JSON.stringify({ case: name }));
  } catch (error) {
    console.log(JSON.stringify({ case: name, error: String(error?.stack ?? error) }));
  }
}

client.close();
