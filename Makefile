# make demo    hear the bundled clip, in a virtual environment with what a device needs
# make test    lint, types and tests, in a virtual environment with what a workstation needs
# make model   train the edge recipe on DATA (and OTHER, what is not music), export it, ship it in edge/data
# make clip    make the demo clip anew

PYTHON ?= python3
DEVICE := .venv/device
WORKSTATION := .venv/workstation
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(SUDO) apt-get install -y --no-install-recommends

.PHONY: demo test lint model clip clean

demo: $(DEVICE)/installed
	$(DEVICE)/bin/edge-listen --demo

# Two processes: one that has imported TensorFlow can't open a model with tflite_runtime any more.
test: $(WORKSTATION)/installed lint
	$(WORKSTATION)/bin/python -m pytest tests/edge tests/benchmarks
	$(WORKSTATION)/bin/python -m pytest tests/train tests/convert

lint: $(WORKSTATION)/installed
	$(WORKSTATION)/bin/ruff format --check .
	$(WORKSTATION)/bin/ruff check .
	$(WORKSTATION)/bin/mypy

model: $(WORKSTATION)/installed
	$(WORKSTATION)/bin/python -m train.fit --data $(DATA) $(if $(OTHER),--other $(OTHER)) --recipe edge --split lists --out runs/edge
	$(WORKSTATION)/bin/python -m convert.export runs/edge --out runs/edge/models
	cp runs/edge/models/model-float32.tflite edge/data/model.tflite

clip: $(WORKSTATION)/installed
	$(APT) fluidsynth fluid-soundfont-gm
	$(WORKSTATION)/bin/pip install --quiet 'music21>=9'
	$(WORKSTATION)/bin/python -m train.demo_clip edge/data/demo.ogg

$(DEVICE)/installed: pyproject.toml
	$(APT) libportaudio2
	$(PYTHON) -m venv $(DEVICE)
	$(DEVICE)/bin/pip install --quiet --editable .
	touch $@

$(WORKSTATION)/installed: pyproject.toml
	$(APT) libportaudio2 pulseaudio pulseaudio-utils libasound2-plugins
	$(PYTHON) -m venv $(WORKSTATION)
	$(WORKSTATION)/bin/pip install --quiet --editable '.[train,convert,onnx,test]'
	touch $@

clean:
	rm -rf .venv build *.egg-info
