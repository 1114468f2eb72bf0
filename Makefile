# `make help` lists the targets. Everything is done by SwiftPM and the scripts in scripts/.
SWIFT := scripts/swift
CHECKED := --explicit-target-dependency-import-check error
# Nothing is looked for beside the program: what it links is where the system has it.
RELEASE := -c release --static-swift-stdlib --disable-local-rpath $(CHECKED)
SOURCES := Package.swift Sources Tests $(addprefix Benchmarks/,Package.swift Registry Sources Tests)
# make test FILTER=KafkaTests runs the tests whose names match.
FILTER ?=
FILTERED := $(if $(FILTER),--filter '$(FILTER)')
# make test RESULTS=FILE also writes what ran and what was skipped, as JUnit's XML.
RESULTS ?=
REPORTED := $(if $(RESULTS),--xunit-output '$(RESULTS)')

# make bench SIZE=200MB RUNS=3 BROKER=host:9092 JSON=figures.json ONLY=shipper-json,kcat
# make bench MODE=formats SIZE=400MB RUNS=3
# make bench MODE=idle|latency SECONDS=30
# make bench MODE=node RATE=1000 FILES=110 PARTITIONS=30 SECONDS=30 BROKERS=3
# make bench MODE=scale FILES=100000 PARTS=start,crowd,full,found,memory,rest,bulk
# make bench MODE=rotation RATE=100 ROTATIONS=20 SIZE=256MiB
# make bench MODE=registry ENTRIES=100000 DIRECTORY=/var/tmp
SIZE ?=
RUNS ?=
BROKER ?=
JSON ?=
ONLY ?=
MODE ?=
SECONDS ?=
RATE ?=
FILES ?=
PARTITIONS ?=
BROKERS ?=
PARTS ?=
ROTATIONS ?=
ENTRIES ?= 100000
DIRECTORY ?=
given = $(if $($(1)),--$(2) '$($(1))')
BENCH := $(call given,SIZE,size) $(call given,RUNS,runs) $(call given,BROKER,broker) \
	$(call given,JSON,json) $(call given,ONLY,only) $(call given,SECONDS,seconds) \
	$(call given,RATE,rate) $(call given,FILES,files) $(call given,PARTITIONS,partitions) \
	$(call given,BROKERS,brokers) $(call given,PARTS,parts) \
	$(call given,ROTATIONS,rotations) \
	$(if $(filter-out throughput,$(MODE)),--$(MODE))

# make install DESTDIR=/tmp/root PREFIX=/usr
PREFIX ?= /usr/local
DESTDIR ?=
# The commit that the program tells; without it, that of the working tree.
COMMIT ?=

.PHONY: help demo build release documents install deb test-deb test bench test-bench lint fresh image-root format install-dependencies clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo                  build, then ship 500,000 lines of real s6-log writers and audit them'
	@echo 'make build                 build for debugging'
	@echo 'make release               build what is shipped: .build/release/shipper'
	@echo 'make install               put it in place: PREFIX=/usr/local DESTDIR=; after make release'
	@echo 'make deb                   a package for the Debian of this machine: .build/shipper_*.deb'
	@echo 'make test-deb              make deb, and the package installed, used, upgraded, purged in a fresh Debian; root'
	@echo 'make test [FILTER=name]    build and run the tests'
	@echo 'make bench                 measure shipper beside kcat and others, see docs/benchmarks.md'
	@echo 'make test-bench            build and run the tests of the benchmark'
	@echo 'make lint                  format and house rules, and the proof that they bite'
	@echo 'make documents             write reference and schema in docs anew'
	@echo 'make format                format the Swift sources in place'
	@echo 'make fresh [SUITE=name]    demo and tests of HEAD in a Debian that has nothing; root'
	@echo '                           SUITE: trixie, bookworm, overlayfs (trixie on one), bookworm-overlayfs'
	@echo 'make image-root            what deploy/Dockerfile makes, without Docker, and the demo in it; root'
	@echo 'make install-dependencies  install the Debian packages that build and tests need'
	@echo 'make clean                 remove what builds made'

demo:
	scripts/install-dependencies build
	$(SWIFT) build $(RELEASE) --product shipper
	.build/release/shipper demo

build:
	scripts/install-dependencies build
	$(SWIFT) build $(CHECKED)

release:
	scripts/install-dependencies build
	$(SWIFT) build $(RELEASE) --product shipper
	scripts/write-commit .build/release/shipper '$(COMMIT)'

documents: build
	.build/debug/shipper config > docs/shipper.reference.yaml
	.build/debug/shipper schema > docs/shipper.schema.json

install:
	DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' scripts/install-files .build/release/shipper

deb: release
	scripts/make-deb

test-deb: deb
	scripts/try-deb

test:
	scripts/install-dependencies test
	$(SWIFT) build --build-tests $(CHECKED)
	$(SWIFT) test --skip-build --disable-xctest $(FILTERED) $(REPORTED)
	@test -n "$$KAFKA_HOME" || echo 'skipped: the tests against Apache Kafka;' \
		'KAFKA_HOME=<directory of an unpacked Kafka> make test runs them'

bench:
	scripts/install-dependencies test
ifeq ($(MODE),registry)
	$(SWIFT) build $(RELEASE) --product registry-bench
	.build/release/registry-bench $(ENTRIES) $(DIRECTORY)
else
	$(SWIFT) build $(RELEASE) --product shipper
	$(SWIFT) build --package-path Benchmarks -c release $(CHECKED) --product shipper-bench
	Benchmarks/.build/release/shipper-bench --shipper .build/release/shipper $(BENCH)
endif

test-bench:
	scripts/install-dependencies test
	$(SWIFT) build $(CHECKED) --product shipper
	$(SWIFT) build --package-path Benchmarks --build-tests $(CHECKED)
	$(SWIFT) test --package-path Benchmarks --skip-build --disable-xctest

lint:
	scripts/install-dependencies build
	scripts/check-house

format:
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

fresh:
	scripts/fresh

image-root:
	scripts/image-root

install-dependencies:
	scripts/install-dependencies test

clean:
	rm -rf .build Benchmarks/.build
