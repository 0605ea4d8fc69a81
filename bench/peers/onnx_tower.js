// ONNX Runtime on the image tower: requests a line on standard input, times on standard output (see bench/README.md).
//
//     node bench/peers/onnx_tower.js ONNXRUNTIME_NODE MODEL.onnx THREADS [PIXELS.f32 OUT.f32]
//
// With two more files: runs the pixels once, writes the embeddings and ends (for comparing results).
"use strict";
const fs = require("fs");
const path = require("path");
const readline = require("readline");

const [where, model, threads, pixelsFile, outFile] = process.argv.slice(2);
const ort = require(path.resolve(where));

function randomPixels(count) {
    const pixels = new Float32Array(count);
    let x = 1;
    for (let i = 0; i < count; i++) {
        x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
        pixels[i] = x / 2 ** 31 - 1;
    }
    return pixels;
}

function say(line) {
    fs.writeSync(1, line + "\n");
}

async function main() {
    const session = await ort.InferenceSession.create(model, {
        graphOptimizationLevel: "all",
        executionMode: "sequential",
        intraOpNumThreads: Number(threads),
        interOpNumThreads: 1,
    });
    const side = session.inputMetadata[0].shape[2];
    const size = 3 * side * side;
    const inputs = new Map();
    const shape = (batch) => [batch, 3, side, side];
    const input = (batch, pixels) => new ort.Tensor("float32", pixels || randomPixels(batch * size), shape(batch));
    if (pixelsFile) {
        const bytes = fs.readFileSync(pixelsFile);
        const pixels = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
        const result = await session.run({pixels: input(pixels.length / size, pixels)});
        fs.writeFileSync(outFile, Buffer.from(result[session.outputNames[0]].data.buffer));
        return;
    }
    const precision = path.basename(model, ".onnx").split("-").pop();
    say(`ready name=onnxruntime-${ort.env.versions.node} threads=${threads} precision=${precision}`);
    for await (const line of readline.createInterface({input: process.stdin})) {
        const [request, batch, count] = line.trim().split(/\s+/);
        if (request === "stop") break;
        if (request !== "run" || !(Number(batch) >= 1)) {
            say(`error '${line}' is not understood`);
            continue;
        }
        if (!inputs.has(batch)) inputs.set(batch, input(Number(batch)));
        const times = [];
        for (let i = 0; i < Number(count || 1); i++) {
            const start = process.hrtime.bigint();
            await session.run({pixels: inputs.get(batch)});
            times.push((Number(process.hrtime.bigint() - start) / 1e6).toFixed(3));
        }
        say("ms " + times.join(" "));
    }
}

main().catch((error) => {
    say("error " + String(error.message).split("\n")[0]);
    process.exitCode = 70;
});
