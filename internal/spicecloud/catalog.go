package spicecloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Region is a place where apps run.
type Region struct {
	ID       string // what a request names, such as us-east-1
	Name     string // for people
	Provider string
	Default  bool
	Disabled bool
}

// Regions is the list of regions with the id of the default, which may be empty.
type Regions struct {
	Regions []Region
	Default string
}

// Image is a version of the runtime.
type Image struct{ Name, Tag, Channel string }

// Images is the list of images of a channel with the tag of the default, which may be empty.
type Images struct {
	Images  []Image
	Default string
}

// Health asks the service once, without credentials, whether it is well.
func (c *Client) Health(ctx context.Context) error {
	r := request{method: http.MethodGet, path: "/v1/health", open: true, once: true}
	return c.do(ctx, r, func(a answer) error {
		var body struct {
			Status text `json:"status"`
		}
		if err := readObject(a, &body); err != nil {
			return err
		}
		if body.Status != "ok" {
			return fmt.Errorf("the service says that its status is %q", line(string(body.Status)))
		}
		return nil
	})
}

// Regions lists the regions, those that are disabled too.
func (c *Client) Regions(ctx context.Context) (Regions, error) {
	r := request{method: http.MethodGet, path: "/v1/regions"}
	return fetch(ctx, c, r, func(a answer) (Regions, error) {
		items, err := readItems(a, readRegion, "regions")
		return Regions{Regions: items, Default: defaultOf(a)}, err
	})
}

func readRegion(raw json.RawMessage) (Region, error) {
	var wire struct {
		ID       text `json:"region"`
		Name     text `json:"name"`
		Provider text `json:"provider"`
		Default  flag `json:"isDefault"`
		Disabled flag `json:"disabled"`
	}
	if err := unmarshalObject(raw, &wire); err != nil {
		return Region{}, err
	}
	if wire.ID == "" {
		return Region{}, errors.New(`it is not the JSON expected: it has no "region"`)
	}
	return Region{
		ID: string(wire.ID), Name: string(wire.Name), Provider: string(wire.Provider),
		Default: bool(wire.Default), Disabled: bool(wire.Disabled),
	}, nil
}

// Images lists the images of a channel, stable or enterprise; "" is the service's default, stable.
func (c *Client) Images(ctx context.Context, channel string) (Images, error) {
	r := request{method: http.MethodGet, path: "/v1/container-images"}
	if channel != "" {
		r.query = url.Values{"channel": {channel}}
	}
	return fetch(ctx, c, r, func(a answer) (Images, error) {
		items, err := readItems(a, readImage, "images")
		return Images{Images: items, Default: defaultOf(a)}, err
	})
}

func readImage(raw json.RawMessage) (Image, error) {
	var wire struct {
		Name    text `json:"name"`
		Tag     text `json:"tag"`
		Channel text `json:"channel"`
	}
	if err := unmarshalObject(raw, &wire); err != nil {
		return Image{}, err
	}
	if wire.Tag == "" {
		return Image{}, errors.New(`it is not the JSON expected: it has no "tag"`)
	}
	return Image{Name: string(wire.Name), Tag: string(wire.Tag), Channel: string(wire.Channel)}, nil
}

// defaultOf reads the member "default" of a list's envelope; a bare array has none.
func defaultOf(a answer) string {
	var envelope struct {
		Default text `json:"default"`
	}
	_ = json.Unmarshal(a.body, &envelope)
	return string(envelope.Default)
}
