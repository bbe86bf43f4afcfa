# make demo       listen to the clip of the package, in a virtual environment with a device's requirements
# make test       lint, types, all tests but the next two, and the coverage of edge, in an environment of a workstation
# make test-live  minutes of real time on a virtual microphone that is unplugged, stopped and killed; a day of audio
# make test-pi    the wheel, most of tests/edge, the model's answers and deployment over ssh in Debian bookworm and trixie
#                 for 64-bit Arm, emulated here and booted by systemd, and what of it works with 32 bits.
#                 PIS=bookworm-arm64 selects one, PI_TESTS=tests/pi/test_deploy.py a part. The trees are made once, in a
#                 few minutes each (make trees), and kept in ~/.cache/edge-listen/trees. Needs root (sudo) and Linux 5.14
# make model      everything up to the model in edge/data: free music of Debian's packages, a teacher's targets for it,
#                 the edge recipe on DATA (lists by artist) and OTHER (what is not music), exports, measurements
# make judge      the measurements alone
# make clip       render the demo clip again
# make picture    draw the picture of README.md again
# make bench-arm  count the 64-bit Arm instructions per second of audio on an emulated Raspberry Pi, of the shipped model
#                 or of MODELS="a.tflite b.tflite"; needs QEMU 7.2 to 8.2, which Debian bookworm has

PYTHON ?= python3
DEVICE := .venv/device
WORKSTATION := .venv/workstation
ARM := .venv/arm
PYTEST := $(WORKSTATION)/bin/python -m pytest --everything
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(SUDO) apt-get install -y --no-install-recommends

PIS ?= bookworm-arm64 trixie-arm64 bookworm-armhf
PI_TESTS ?= tests/pi
TREES ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/edge-listen/trees
BOOTABLE := systemd,systemd-sysv,dbus,openssh-server,sudo,python3,procps,alsa-utils,libasound2-plugins,ca-certificates

MUSIC := runs/music
JUDGED := runs/lists/models/model-float32.tflite
FIT = $(WORKSTATION)/bin/python -m train.fit --data $(DATA) --other $(OTHER) --recipe edge \
	--unlabelled $(MUSIC) $(addprefix --unlabelled ,$(UNLABELLED))

.PHONY: demo test test-live test-pi trees lint model judge clip picture bench-arm clean

demo: $(DEVICE)/installed
	$(DEVICE)/bin/edge-listen --demo

# Two runs: a process that has imported TensorFlow can't open a model with tflite_runtime any more. Most of tests/edge
# waits most of the time, for a microphone in real time: four files at once keep two cores busy. Coverage doesn't count
# processes that the tests start. The packages are named for their doctests; train.demo_clip needs music21 (make clip).
test: $(WORKSTATION)/installed lint
	rm -f .coverage .coverage.*
	$(PYTEST) -n 4 --cov --cov-report= edge tests/edge tests/golden tests/benchmarks
	$(PYTEST) -n 2 --cov --cov-append --cov-report=term:skip-covered tests/train tests/convert \
		train convert benchmarks --ignore=train/demo_clip.py

test-live: $(WORKSTATION)/installed
	$(PYTEST) -n 0 -s tests/live

trees: $(PIS:%=$(TREES)/%)

test-pi: $(WORKSTATION)/installed trees
	$(SUDO) env PIS="$(PIS)" TREES="$(TREES)" PYTHONDONTWRITEBYTECODE=1 \
		$(PYTEST) -n 0 -s -p no:cacheprovider $(PI_TESTS)

lint: $(WORKSTATION)/installed
	$(WORKSTATION)/bin/ruff format --check .
	$(WORKSTATION)/bin/ruff check --no-cache .
	$(WORKSTATION)/bin/mypy

# The same recipe twice: trained on the train list and measured on the valid list, in every format and in a room; then in
# folds over both lists. The last network of the folds is trained on all of them, and ships.
model: $(WORKSTATION)/installed
	@test -n "$(DATA)" -a -n "$(OTHER)" || { echo "make model DATA=<corpus with lists> OTHER=<what is not music>" >&2; exit 2; }
	$(WORKSTATION)/bin/python -m train.corpus.debian_music --out $(MUSIC)
	$(FIT) --split lists --out runs/lists
	$(WORKSTATION)/bin/python -m convert.export runs/lists --out runs/lists/models
	$(FIT) --split folds --out runs/edge
	$(WORKSTATION)/bin/python -m convert.export runs/edge --out runs/edge/models
	cp runs/edge/models/model-float32.tflite edge/data/model.tflite
	$(MAKE) judge

# Needs the runs of `make model`.
judge: $(WORKSTATION)/installed
	$(WORKSTATION)/bin/python -m benchmarks.accuracy --data $(DATA) --other $(OTHER) --model $(JUDGED) --room --baselines --run runs/edge
	$(WORKSTATION)/bin/python -m benchmarks.accuracy --data $(DATA) --other $(OTHER) --model runs/lists/models/model-int8.tflite
	$(WORKSTATION)/bin/python -m benchmarks.stream --data $(DATA) --model $(JUDGED)
	$(WORKSTATION)/bin/python -m benchmarks.stream --data $(DATA) --model $(JUDGED) --hours 24

clip: $(WORKSTATION)/installed
	$(APT) fluidsynth fluid-soundfont-gm
	$(WORKSTATION)/bin/pip install --quiet 'music21>=9'
	$(WORKSTATION)/bin/python -m train.demo_clip edge/data/demo.ogg

picture: $(WORKSTATION)/installed
	$(WORKSTATION)/bin/python -m benchmarks.live_line benchmarks/live_line.svg

bench-arm: $(ARM)/root $(ARM)/site $(ARM)/count_instructions.so
	$(DEVICE)/bin/python -m benchmarks.cost.arm --tree $(ARM) $(MODELS)

# Debian's Python for arm64, unpacked: nothing of it is ever installed or configured. Device files only root can unpack.
$(ARM)/root:
	$(APT) qemu-user gcc libc6-dev mmdebstrap debian-archive-keyring
	rm -rf $@.new && mkdir -p $@.new
	$(SUDO) mmdebstrap --variant=extract --architectures=arm64 --include=python3,libstdc++6 bookworm $@.tar
	tar --extract --file $@.tar --directory $@.new --exclude './dev/*'
	rm -f $@.tar && mv $@.new $@

$(ARM)/site: $(DEVICE)/installed
	$(DEVICE)/bin/pip install --quiet --editable '.[deploy]'
	rm -rf $@
	$(DEVICE)/bin/python -m benchmarks.cost.arm.wheels $@
	touch $@

$(ARM)/count_instructions.so: benchmarks/cost/arm/count_instructions.c | $(ARM)/root
	gcc -O2 -Wall -Wextra -shared -fPIC -o $@ $<

# Trixie's QEMU, linked statically, whatever Debian this is: tests/pi/emulation.py has the reasons.
$(TREES)/qemu-aarch64 $(TREES)/qemu-arm:
	$(APT) mmdebstrap debian-archive-keyring
	mkdir -p $(TREES)
	$(SUDO) mmdebstrap --variant=extract --include=qemu-user trixie $@.tar
	tar --extract --file $@.tar --to-stdout ./usr/bin/$(@F) > $@.new
	chmod +x $@.new && rm -f $@.tar && mv $@.new $@

define EMULATED_DEBIAN
	$(APT) mmdebstrap debian-archive-keyring openssh-client
	$(SUDO) rm -rf $@.new
	$(SUDO) $(PYTHON) tests/pi/emulation.py $| \
		mmdebstrap --variant=apt --skip=check/qemu --architectures=$(lastword $(subst -, ,$@)) --include=$(BOOTABLE) $(MMDEBSTRAP) $* $@.new
	$(SUDO) mv $@.new $@
endef

$(TREES)/%-arm64: | $(TREES)/qemu-aarch64
	$(EMULATED_DEBIAN)

# Without security updates, whose index was damaged on a mirror for days: nothing connects to this tree.
$(TREES)/%-armhf: MMDEBSTRAP = --setup-hook='sed -i /security/d "$$1"/etc/apt/sources.list'
$(TREES)/%-armhf: | $(TREES)/qemu-arm
	$(EMULATED_DEBIAN)

$(DEVICE)/installed: pyproject.toml
	$(APT) libportaudio2
	$(PYTHON) -m venv $(DEVICE)
	$(DEVICE)/bin/pip install --quiet --editable .
	touch $@

$(WORKSTATION)/installed: pyproject.toml
	$(APT) libportaudio2 pulseaudio pulseaudio-utils libasound2-plugins mosquitto openssh-client openssl systemd tzdata
	$(PYTHON) -m venv $(WORKSTATION)
	$(WORKSTATION)/bin/pip install --quiet --editable '.[train,convert,onnx,bench,test]'
	$(WORKSTATION)/bin/pip install --quiet --no-deps musicnn==0.1.0
	touch $@

clean:
	rm -rf .venv build *.egg-info
